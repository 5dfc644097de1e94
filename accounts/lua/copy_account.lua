-- copy_account: keep a copy of the row. The second step around a change of it, and what a reader of the row does.
-- KEYS 1 the user's tag
-- ARGV 1 the token of the change, '' for a reader  2 lifetime (ms)  3 username  4 is_admin  5 is_active  6 stamp
--      7 suspended  8 why
-- Reply  1 if the copy was kept, else 0
-- Atomic: a reader never replaces a copy or a hold, and a change only its own hold; so the copy is never older than a
-- row that was written before it. May be repeated. Runs when memory is full: an account has one copy.
local function copy_account(keys, args)
  local tag, change, lifetime, username, is_admin, is_active, stamp, suspended, why = keys[1], unpack(args, 1, 8)
  if is_gone(tag) then return 0 end
  local free = change == '' and redis.call('EXISTS', tag .. ':account') == 0
  local mine = change ~= '' and redis.call('HGET', tag .. ':account', 'hold') == change
  if not free and not mine then return 0 end
  write_copy(tag, lifetime, username, is_admin, is_active, stamp, suspended, why)
  return 1
end
register('copy_account', copy_account, WHEN_FULL)
