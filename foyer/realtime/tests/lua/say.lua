-- say: append an event to a topic, as the functions of the apps do.
-- KEYS 1 the topic's tag
-- ARGV 1 the topic's name as JSON  2 the type  3 the body
-- Reply  its offset
local function say(keys, args)
  return append(keys[1], args[1], args[2], '', args[3])
end
register('say', say)
