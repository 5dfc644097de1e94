-- failures: how many sign-ins failed within the last while, for one bucket (an account, an address, or both).
-- KEYS 1 the bucket: a list of the times (ms) of its newest failures, newest first
-- ARGV 1 how many may fail  2 within how long (ms)  3 '1' to add one that has just failed, '0' to look
-- Reply  0 if another may be tried, else how long to wait (ms)
-- Atomic, and exact: in no stretch of that length are more than that many let through. Not to be repeated when it adds.
-- Runs when memory is full: a bucket is small and expires, and passwords may not be guessed freely meanwhile.
local function failures(keys, args)
  local bucket, most, window, adds = keys[1], tonumber(args[1]), tonumber(args[2]), args[3]
  local now = milliseconds()
  if adds == '1' then
    redis.call('LPUSH', bucket, now)
    redis.call('LTRIM', bucket, 0, most - 1)
    redis.call('PEXPIRE', bucket, window)
  end
  local limiting = redis.call('LINDEX', bucket, most - 1)
  return limiting and math.max(limiting + window - now, 0) or 0
end
register('failures', failures, WHEN_FULL)
