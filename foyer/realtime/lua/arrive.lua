-- arrive: some users are at an instance of the server.
-- KEYS 1 the topic's tag
-- ARGV 1 the topic's name as JSON  2 the instance  3 … for each user, account id and name as JSON
-- Reply  1
-- Atomic: those who were at no instance before are told of in one event. May be repeated. Runs when memory is full: it
-- writes as much as there are users, and its log is trimmed.
local function arrive(keys, args)
  local tag, topic, instance = keys[1], args[1], args[2]
  local joined, now, set = {}, now_ms(), tag .. ':at:' .. instance
  redis.call('ZADD', tag .. ':beats', now, instance)
  for i = 3, #args, 2 do
    local user, name = args[i], args[i + 1]
    if redis.call('SISMEMBER', set, user) == 0 then
      if redis.call('HEXISTS', tag .. ':users', user) == 0 then
        redis.call('HSET', tag .. ':names', user, name)
        redis.call('ZADD', tag .. ':since', now, user)
        joined[#joined + 1] = name
      end
      redis.call('HINCRBY', tag .. ':users', user, 1)
      redis.call('SADD', set, user)  -- the last: after a fault on the way the user is not taken for told of
    end
  end
  announce(tag, topic, 'user_joined', joined)
  return 1
end
register_on_log('arrive', arrive, WHEN_FULL)
