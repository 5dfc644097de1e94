-- time: list a room among those that keep messages for some days alone, before it does.
-- KEYS 1 the index's tag
-- ARGV 1 the room's id
-- Reply  1
-- May be repeated. A room stays in the list for as long as it exists, as in that of open rooms.
local function time(keys, args)
  local index, room = keys[1], args[1]
  redis.call('ZADD', index .. ':timed', room, room)
  return 1
end
register('time', time)
