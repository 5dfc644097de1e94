-- Rights in a room: who may do what to whom, and what is noted of it. Shared by the functions that ask; nothing of this
-- is callable by itself.
--   {room:12}:roles   hash: account id of a moderator -> the time at which the membership began that the role belongs to;
--                     with another membership, or none, there is no such role
--   {room:12}:posted  sorted set: account id of those who posted in slow mode -> when they did last, in ms; expires
--   {room:12}:audit   stream: what was done to keep order, an entry each, its id <number>-0; fields by, at (ms) and body

-- The one table of rights: the least role that may do it, that may do it to a moderator, and to the owner. `rights.py`
-- reads it from here, for REST, the documentation and the tests. Nobody does any of it to themselves.
local RIGHTS = {
  set_role       = {'owner', 'owner', 'nobody'},
  ban            = {'moderator', 'admin', 'nobody'},
  mute           = {'moderator', 'admin', 'nobody'},
  slow_mode      = {'moderator', '', ''},
  delete_message = {'moderator', 'owner', 'admin'},
  remove_member  = {'member', 'owner', 'admin'},
  read_audit     = {'moderator', '', ''},
  read_reports   = {'moderator', '', ''},
}
local RANKS = {[''] = 0, stranger = 0, member = 1, moderator = 2, owner = 3, admin = 4, nobody = 5}
local LACKING = {member = 'not_a_member', moderator = 'not_a_moderator', owner = 'not_the_owner'}

local function role_of(tag, room, user)
  if room.owner == user then return 'owner' end
  local since = redis.call('HGET', tag .. ':members', user)
  if not since then return 'stranger' end
  return redis.call('HGET', tag .. ':roles', user) == since and 'moderator' or 'member'
end

-- Why a user may not do something in a room, or to `someone` in it, as the code of the refusal; nil where they may.
local function why_not(tag, room, user, is_admin, right, someone)
  local least, to_moderator, to_owner = unpack(RIGHTS[right])
  local rank = RANKS[is_admin == '1' and 'admin' or role_of(tag, room, user)]
  if rank < RANKS[least] then return LACKING[least] end
  if not someone then return nil end
  if someone == user then return 'forbidden' end
  local role = role_of(tag, room, someone)
  if role == 'moderator' and rank < RANKS[to_moderator] then return 'forbidden' end
  if role == 'owner' and rank < RANKS[to_owner] then return 'forbidden' end
  return nil
end

local LONGEST_SLOW_MODE = 3600

-- Whole seconds for which a user must still wait in a room's slow mode, 0 for none.
local function seconds_to_wait(tag, room, user, is_admin)
  if is_admin == '1' or RANKS[role_of(tag, room, user)] >= RANKS.moderator then return 0 end
  local last = redis.call('ZSCORE', tag .. ':posted', user)
  if not last then return 0 end
  local seconds = math.ceil((last - milliseconds()) / 1000 + room.slow_mode)
  return math.max(0, math.min(seconds, tonumber(room.slow_mode)))
end

local function note_post(tag, user)
  local now, posted = milliseconds(), tag .. ':posted'
  redis.call('ZREMRANGEBYSCORE', posted, '-inf', string.format('%.0f', now - LONGEST_SLOW_MODE * 1000))
  redis.call('ZADD', posted, string.format('%.0f', now), user)
  redis.call('EXPIRE', posted, LONGEST_SLOW_MODE)
end

local MOST_AUDITED = 10000 -- entries that are kept, about: the newest

-- Notes what a user did, `told` being JSON without braces; names in it stand as in bodies of the log.
local function note_in_audit(tag, user, action, told)
  local audit = tag .. ':audit'
  local last = redis.call('XREVRANGE', audit, '+', '-', 'COUNT', 1)[1]
  local id = (last and offset_of(last[1]) or 0) + 1
  redis.call('XADD', audit, 'MAXLEN', '~', MOST_AUDITED, string.format('%.0f-0', id), 'by', user,
    'at', string.format('%.0f', milliseconds()), 'body', '"action":"' .. action .. '",' .. told)
end
