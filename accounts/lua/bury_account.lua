-- bury_account: the first step of deleting an account.
-- KEYS 1 the user's tag
-- ARGV 1 how long to remember it (ms)
-- Reply  1
-- Atomic: its sessions end, every process hears of it, and from here on nothing is written to the user's keys by
-- functions that look at the tombstone. May be repeated. Runs when memory is full.
local function bury_account(keys, args)
  local tag, lifetime = keys[1], args[1]
  redis.call('SET', tag .. ':gone', '1', 'PX', lifetime)
  redis.call('DEL', tag .. ':account')
  end_all(tag)
  return 1
end
register('bury_account', bury_account, WHEN_FULL)
