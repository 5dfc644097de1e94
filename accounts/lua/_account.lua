-- account: what a user's slot holds about them and their sessions. Shared by the functions here; not callable by itself.
--   {user:5}:sessions  hash: session id -> when it ends (ms); expires with the last of them
--   {user:5}:account   hash, one of two things:
--                        the copy of their row: username, is_admin, is_active, stamp (a digest of the stored password),
--                        suspended (until when it is, in ms; 0 if it is not) and why (what the user is told of it);
--                        a hold: the row is about to change, so that nothing here may be trusted; expires in a minute
--   {user:5}:gone      the account was deleted; expires after 30 days

local function milliseconds()
  local now = redis.call('TIME')
  return now[1] * 1000 + math.floor(now[2] / 1000)
end

local function is_gone(user)
  return redis.call('EXISTS', user .. ':gone') == 1
end

-- Tell every process that a session ended, all of the user's where `session` is nil.
local function announce_end(user, session)
  local id = string.match(user, ':(%d+)}')
  local quoted = session and ('"' .. session .. '"') or 'null'
  redis.call('PUBLISH', 'foyer:sessions', '{"user":' .. id .. ',"session":' .. quoted .. '}')
end

local function end_all(user)
  redis.call('DEL', user .. ':sessions')
  announce_end(user, nil)
end

-- Whether a copy of a row says that the account is suspended now; a copy that an earlier release wrote does not.
local function is_suspended(until_when)
  return until_when and tonumber(until_when) > milliseconds()
end

local function write_copy(user, lifetime, username, is_admin, is_active, stamp, suspended, why)
  local key = user .. ':account'
  redis.call('DEL', key)
  redis.call('HSET', key, 'username', username, 'is_admin', is_admin, 'is_active', is_active, 'stamp', stamp,
    'suspended', suspended, 'why', why)
  redis.call('PEXPIRE', key, lifetime)
end
