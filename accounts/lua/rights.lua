-- rights: whether somebody who proved their password may do what admins may, as things are now.
-- KEYS 1 the user's tag
-- ARGV 1 the stamp of the password that they proved
-- Reply  1 if so, else 0: also when the account is gone, disabled, suspended or has another password by now; -1 when
--        the copy of the account is missing or held, so that the row must be asked
-- Reads only.
local function rights(keys, args)
  local tag, proven = keys[1], args[1]
  if is_gone(tag) then return 0 end
  local copy = redis.call('HMGET', tag .. ':account', 'stamp', 'is_active', 'is_admin', 'suspended')
  local stamp, is_active, is_admin, suspended = unpack(copy, 1, 4)
  if not stamp then return -1 end
  if is_suspended(suspended) then return 0 end
  return stamp == proven and is_active == '1' and is_admin == '1' and 1 or 0
end
register('rights', rights, READ_ONLY)
