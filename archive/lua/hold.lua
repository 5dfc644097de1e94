-- hold: become the follower that is at work, or stay it.
-- KEYS 1 the archive's tag
-- ARGV 1 the follower's name  2 for how long (ms), 0 to leave it to others
-- Reply  1 if it is now at work, else 0
-- Atomic: one holds the lease. May be repeated. Runs when memory is full.
local function hold(keys, args)
  local lease, me, lifetime = keys[1] .. ':lease', args[1], tonumber(args[2])
  local holder = redis.call('GET', lease)
  if holder and holder ~= me then return 0 end
  if lifetime == 0 then
    redis.call('DEL', lease)
    return 0
  end
  redis.call('SET', lease, me, 'PX', lifetime)
  return 1
end
register('hold', hold, WHEN_FULL)
