-- copy_account: keep a copy of the row. The second step around a change of it, and what a reader of the row does.
-- KEYS 1 the user's tag
-- ARGV 1 the token of the change, '' for a reader  2 lifetime (ms)  3 username  4 is_admin  5 is_active  6 stamp
-- Reply  1 if the copy was kept, else 0
-- Atomic: a reader never replaces a copy or a hold, and a change only its own hold; so the copy is never older than a
-- row that was written before it. May be repeated.
local function copy_account(keys, args)
  local user = keys[1]
  local key = user .. ':account'
  if is_gone(user) then return 0 end
  local free = args[1] == '' and redis.call('EXISTS', key) == 0
  local mine = args[1] ~= '' and redis.call('HGET', key, 'hold') == args[1]
  if not free and not mine then return 0 end
  write_copy(user, args[2], args[3], args[4], args[5], args[6])
  return 1
end
register('copy_account', copy_account)
