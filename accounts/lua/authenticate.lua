-- authenticate: who a session belongs to.
-- KEYS 1 the user's tag
-- ARGV 1 session id
-- Reply  {username, is_admin}; {what the user is told} if the account is suspended; empty when the copy of the account is
--        missing or held, so that the row must be asked. Refuses a session that ended.
-- Reads only.
local function authenticate(keys, args)
  local tag, session = keys[1], args[1]
  local copy = redis.call('HMGET', tag .. ':account', 'username', 'is_admin', 'is_active', 'suspended', 'why')
  local username, is_admin, is_active, suspended, why = unpack(copy, 1, 5)
  if is_suspended(suspended) then return {why} end
  local ends = redis.call('HGET', tag .. ':sessions', session)
  if not ends or tonumber(ends) <= milliseconds() then return refuse('bad_token') end
  if not username then return {} end
  if is_active == '0' then return refuse('bad_token') end
  return {username, is_admin}
end
register('authenticate', authenticate, READ_ONLY)
