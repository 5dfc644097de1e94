-- look: whether a caller is still signed in.
-- KEYS 1 the user's tag
-- ARGV 1 session id, or '' for one who signed in without a session
-- Reply  1 if so, 0 if the session ended or the account is disabled, -1 if the account was deleted
-- Reads only.
local function look(keys, args)
  local tag, session = keys[1], args[1]
  if is_gone(tag) then return -1 end
  if redis.call('HGET', tag .. ':account', 'is_active') == '0' then return 0 end
  if session == '' then return 1 end
  local ends = redis.call('HGET', tag .. ':sessions', session)
  return ends and tonumber(ends) > milliseconds() and 1 or 0
end
register('look', look, READ_ONLY)
