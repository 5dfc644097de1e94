-- rights: whether somebody who proved his password may do what admins may, as things are now.
-- KEYS 1 the user's tag
-- ARGV 1 the stamp of the password that he proved
-- Reply  1 if so, else 0: also when the account is gone, disabled or has another password by now; -1 when the copy of
--        the account is missing or held, so that the row must be asked
-- Reads only.
local function rights(keys, args)
  if is_gone(keys[1]) then return 0 end
  local copy = redis.call('HMGET', keys[1] .. ':account', 'stamp', 'is_active', 'is_admin')
  if not copy[1] then return -1 end
  return copy[1] == args[1] and copy[2] == '1' and copy[3] == '1' and 1 or 0
end
register('rights', rights, READ_ONLY)
