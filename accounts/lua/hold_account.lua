-- hold_account: the first of the two steps around a change of an account's row (who it is, what it may, its password).
-- KEYS 1 the user's tag
-- ARGV 1 a token that tells this change from others  2 how long to hold (ms)  3 '1' to end all sessions
-- Reply  1; refuses an account that was deleted
-- Atomic. While the hold stands no session starts and every token is checked against the row, so that a crash between
-- the steps leaves nothing outdated behind; it expires by itself. May be repeated. Runs when memory is full.
local function hold_account(keys, args)
  local tag, change, lifetime, ends_all = keys[1], unpack(args, 1, 3)
  if is_gone(tag) then return refuse('account_gone') end
  redis.call('DEL', tag .. ':account')
  redis.call('HSET', tag .. ':account', 'hold', change)
  redis.call('PEXPIRE', tag .. ':account', lifetime)
  if ends_all == '1' then end_all(tag) end
  return 1
end
register('hold_account', hold_account, WHEN_FULL)
