-- authenticate: who a session belongs to.
-- KEYS 1 the user's tag
-- ARGV 1 session id
-- Reply  {username, is_admin}; empty when the copy of the account is missing or held, so that the row must be asked.
--        Refuses a session that ended.
-- Reads only.
local function authenticate(keys, args)
  local tag, session = keys[1], args[1]
  local ends = redis.call('HGET', tag .. ':sessions', session)
  if not ends or tonumber(ends) <= milliseconds() then return refuse('bad_token') end
  local copy = redis.call('HMGET', tag .. ':account', 'username', 'is_admin', 'is_active')
  local username, is_admin, is_active = unpack(copy, 1, 3)
  if not username then return {} end
  if is_active == '0' then return refuse('bad_token') end
  return {username, is_admin}
end
register('authenticate', authenticate, READ_ONLY)
