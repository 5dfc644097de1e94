-- bury_account: the first step of deleting an account.
-- KEYS 1 the user's tag
-- ARGV 1 how long to remember it (ms)
-- Reply  1
-- Atomic: its sessions end, every process hears of it, and from here on nothing is written to the user's keys by
-- functions that look at the tombstone. May be repeated.
local function bury_account(keys, args)
  local user = keys[1]
  redis.call('SET', user .. ':gone', '1', 'PX', args[1])
  redis.call('DEL', user .. ':account')
  end_all(user)
  return 1
end
register('bury_account', bury_account)
