-- take: topics that are to be copied.
-- KEYS 1 the archive's tag
-- ARGV 1 how many at most  2 '1' to take others once all that were taken are copied  3 … tags of topics that were taken
--      before and are copied now
-- Reply  {tag, …}
-- Atomic. May be repeated: what was taken is given again until it is said to be copied, also to another follower. A topic
-- that is noted meanwhile is taken anew, so nothing that was written while it was copied is left out. Runs when memory is
-- full.
local function take(keys, args)
  local dirty, taken, progress = keys[1] .. ':dirty', keys[1] .. ':taken', keys[1] .. ':progress'
  local most, may_go_on = args[1], args[2] == '1'
  for i = 3, #args do redis.call('SREM', taken, args[i]) end
  if may_go_on and redis.call('EXISTS', taken) == 0 and redis.call('EXISTS', dirty) == 1 then
    redis.call('RENAME', dirty, taken)
    redis.call('HSET', progress, 'taken_since', redis.call('HGET', progress, 'dirty_since') or now_in_ms())
  end
  return redis.call('SRANDMEMBER', taken, most)
end
register('take', take, WHEN_FULL)
