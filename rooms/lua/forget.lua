-- forget: take a room out of the list of those a user is in.
-- KEYS 1 the user's tag
-- ARGV 1 the room's id
-- Reply  1
-- May be repeated.
local function forget(keys, args)
  redis.call('ZREM', keys[1] .. ':rooms', args[1])
  redis.call('HDEL', keys[1] .. ':coming', args[1])
  return 1
end
register('forget', forget)
