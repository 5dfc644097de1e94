-- authenticate: who a session belongs to.
-- KEYS 1 the user's tag
-- ARGV 1 session id
-- Reply  {username, is_admin}; empty when the copy of the account is missing or held, so that the row must be asked.
--        Refuses a session that ended.
-- Reads only.
local function authenticate(keys, args)
  local ends = redis.call('HGET', keys[1] .. ':sessions', args[1])
  if not ends or tonumber(ends) <= milliseconds() then return refuse('bad_token') end
  local copy = redis.call('HMGET', keys[1] .. ':account', 'username', 'is_admin', 'is_active')
  if not copy[1] then return {} end
  if copy[3] == '0' then return refuse('bad_token') end
  return {copy[1], copy[2]}
end
register('authenticate', authenticate, READ_ONLY)
