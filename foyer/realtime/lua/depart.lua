-- depart: some users are no longer at an instance of the server.
-- KEYS 1 the topic's tag
-- ARGV 1 the topic's name as JSON  2 the instance  3 … account ids
-- Reply  1
-- Atomic: those who are at no instance now are told of in one event. May be repeated. Runs when memory is full.
local function depart(keys, args)
  local tag, topic, instance = keys[1], args[1], args[2]
  local left, set = {}, tag .. ':at:' .. instance
  for i = 3, #args do
    if redis.call('SREM', set, args[i]) == 1 then left[#left + 1] = let_go(tag, args[i]) end
  end
  if redis.call('EXISTS', set) == 0 then redis.call('ZREM', tag .. ':beats', instance) end
  announce(tag, topic, 'user_left', left)
  return 1
end
register_on_log('depart', depart, WHEN_FULL)
