-- forget: take a room that is gone out of the lists of those a user is in, and owns.
-- KEYS 1 the user's tag
-- ARGV 1 the room's id
-- Reply  1
-- May be repeated. Runs when memory is full.
local function forget(keys, args)
  local tag, room = keys[1], args[1]
  redis.call('ZREM', tag .. ':rooms', room)
  redis.call('HDEL', tag .. ':coming', room)
  redis.call('SREM', tag .. ':owned', room)
  return 1
end
register('forget', forget, WHEN_FULL)
