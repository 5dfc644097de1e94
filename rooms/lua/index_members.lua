-- index_members: put some of a room's members into the order in which they joined, or take out of it some entries that
-- are no longer true.
-- KEYS 1 the room's tag
-- ARGV 1 'missing' to add members, 'stale' to take entries out  2 where the last call ended, 0 to begin
-- Reply  where this call ended, 0 when it has seen them all
-- May be repeated, and begun again at any time.
local function add_missing(tag, cursor)
  local reply = redis.call('HSCAN', tag .. ':members', cursor, 'COUNT', MEMBERS_AT_ONCE)
  local flat = reply[2]
  for i = 1, #flat, 2 do redis.call('ZADD', tag .. ':order', 0, flat[i + 1] .. '-' .. flat[i]) end
  return reply[1]
end

local function remove_stale(tag, cursor)
  local reply = redis.call('ZSCAN', tag .. ':order', cursor, 'COUNT', MEMBERS_AT_ONCE)
  local flat = reply[2]
  for i = 1, #flat, 2 do
    local user, time = read_entry(flat[i])
    if redis.call('HGET', tag .. ':members', user) ~= time then redis.call('ZREM', tag .. ':order', flat[i]) end
  end
  return reply[1]
end

local function index_members(keys, args)
  local tag, which, cursor = keys[1], unpack(args, 1, 2)
  return (which == 'missing' and add_missing or remove_stale)(tag, cursor)
end
register('index_members', index_members)
