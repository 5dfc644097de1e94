-- Members in the order in which they joined. Shared by the functions here; nothing of this is callable by itself.
--   {room:12}:members  hash: account id -> time of joining. This says who is in the room.
--   {room:12}:order    sorted set of `<time of joining>-<account id>`, all scores 0, so that it is ordered by its text
--   {room:12}:leaving  what `:members` was when the room was deleted, until each of them has the room off their list
-- A release before this one keeps the hash alone, and may do so at this moment. So what the sorted set says counts only
-- where the hash says the same, and `index_members` puts it right.

local MEMBERS_AT_ONCE = 500

local function let_in(tag, user, time)
  redis.call('HSET', tag .. ':members', user, time)
  redis.call('ZADD', tag .. ':order', 0, time .. '-' .. user)
end

-- Whether the user was in.
local function take_out(tag, user)
  local time = redis.call('HGET', tag .. ':members', user)
  if not time then return false end
  redis.call('HDEL', tag .. ':members', user)
  redis.call('HDEL', tag .. ':joined', user)
  redis.call('HDEL', tag .. ':roles', user)
  redis.call('ZREM', tag .. ':order', time .. '-' .. user)
  return true
end

-- Some of those who have a deleted room on their list still: {1 if there are more, else 0; account id, …}.
local function still_leaving(tag)
  local some = redis.call('HRANDFIELD', tag .. ':leaving', MEMBERS_AT_ONCE)
  return {redis.call('HLEN', tag .. ':leaving') > #some and 1 or 0, unpack(some, 1, MEMBERS_AT_ONCE)}
end

-- Account id and time of joining, of an entry of `:order`.
local function read_entry(entry)
  local time, user = string.match(entry, '^(.*)-(%d+)$')
  return user, time
end
