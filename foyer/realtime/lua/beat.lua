-- beat: an instance of the server lives; and what is left of one that lives no longer is cleared away.
-- KEYS 1 the topic's tag
-- ARGV 1 the topic's name as JSON  2 the instance  3 ms after which an instance that said nothing is dead  4 how many
--      users of a dead one to let go of, at most
-- Reply  {how many users the instance has here, 1 if there is more to clear away}
-- Atomic: those who are at no instance now are told of in one event, by whoever beats first. May be repeated. Runs when
-- memory is full.
local function beat(keys, args)
  local tag, topic, instance, dead_after, most = keys[1], unpack(args, 1, 4)
  local now, count = now_ms(), redis.call('SCARD', tag .. ':at:' .. instance)
  if count > 0 then
    redis.call('ZADD', tag .. ':beats', now, instance)
  else
    redis.call('ZREM', tag .. ':beats', instance)
  end
  local dead = redis.call('ZRANGEBYSCORE', tag .. ':beats', '-inf', now - dead_after, 'LIMIT', 0, 2)
  if #dead == 0 then return {count, 0} end
  local left, set = {}, tag .. ':at:' .. dead[1]
  for _, user in ipairs(redis.call('SPOP', set, most)) do
    left[#left + 1] = let_go(tag, user)
  end
  local rest = redis.call('EXISTS', set)
  if rest == 0 then redis.call('ZREM', tag .. ':beats', dead[1]) end
  announce(tag, topic, 'user_left', left)
  return {count, (rest == 1 or #dead > 1) and 1 or 0}
end
register_on_log('beat', beat, WHEN_FULL)
