-- look: whether a caller is still signed in.
-- KEYS 1 the user's tag
-- ARGV 1 session id, or '' for one who signed in without a session  2 the stamp of the password that was proved, or ''
-- Reply  1 if so, 0 if the session ended, the account is disabled, suspended or has another password by now, -1 if it was
--        deleted, -2 if only the row can tell, as the copy of it is missing or held
-- Reads only.
local function look(keys, args)
  local tag, session, stamp = keys[1], unpack(args, 1, 2)
  if is_gone(tag) then return -1 end
  local copy = redis.call('HMGET', tag .. ':account', 'is_active', 'stamp', 'suspended')
  if copy[1] == '0' or is_suspended(copy[3]) then return 0 end
  if session ~= '' then
    local ends = redis.call('HGET', tag .. ':sessions', session)
    return ends and tonumber(ends) > milliseconds() and 1 or 0
  end
  if stamp == '' then return 1 end
  if not copy[2] then return -2 end
  return copy[2] == stamp and 1 or 0
end
register('look', look, READ_ONLY)
