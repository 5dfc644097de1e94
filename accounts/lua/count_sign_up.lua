-- count_sign_up: let one more sign up from an address, if not too many did within the last while.
-- KEYS 1 the bucket of the address: a list of the times (ms) of its newest sign-ups, newest first
-- ARGV 1 how many may  2 within how long (ms)
-- Reply  0 if this one may and is counted, else how long to wait (ms)
-- Atomic, and exact: in no stretch of that length are more than that many counted. Not to be repeated.
local function count_sign_up(keys, args)
  local bucket, most, window = keys[1], tonumber(args[1]), tonumber(args[2])
  local now, limiting = milliseconds(), redis.call('LINDEX', bucket, most - 1)
  local wait = limiting and limiting + window - now or 0
  if wait > 0 then return wait end
  redis.call('LPUSH', bucket, now)
  redis.call('LTRIM', bucket, 0, most - 1)
  redis.call('PEXPIRE', bucket, window)
  return 0
end
register('count_sign_up', count_sign_up)
