-- forget: take a room out of the list of those a user is in.
-- KEYS 1 the user's tag
-- ARGV 1 the room's id
-- Reply  1
-- May be repeated. Runs when memory is full.
local function forget(keys, args)
  local tag, room = keys[1], args[1]
  redis.call('ZREM', tag .. ':rooms', room)
  redis.call('HDEL', tag .. ':coming', room)
  return 1
end
register('forget', forget, WHEN_FULL)
