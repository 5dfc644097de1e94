-- hold_account: the first of the two steps around a change of an account's row (who it is, what it may, its password).
-- KEYS 1 the user's tag
-- ARGV 1 a token that tells this change from others  2 how long to hold (ms)  3 '1' to end all sessions
-- Reply  1; refuses an account that was deleted
-- Atomic. While the hold stands no session starts and every token is checked against the row, so that a crash between
-- the steps leaves nothing outdated behind; it expires by itself. May be repeated.
local function hold_account(keys, args)
  local user = keys[1]
  if is_gone(user) then return refuse('account_gone') end
  redis.call('DEL', user .. ':account')
  redis.call('HSET', user .. ':account', 'hold', args[1])
  redis.call('PEXPIRE', user .. ':account', args[2])
  if args[3] == '1' then end_all(user) end
  return 1
end
register('hold_account', hold_account)
