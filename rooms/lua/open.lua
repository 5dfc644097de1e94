-- open: list a room among those open to everyone, before it is.
-- KEYS 1 the index's tag
-- ARGV 1 the room's id
-- Reply  1
-- May be repeated. A room stays in the list for as long as it exists, since two who change it at once can't agree on
-- when it leaves: whoever lists rooms asks each who may see it.
local function open(keys, args)
  local index, room = keys[1], args[1]
  redis.call('ZADD', index .. ':open', room, room)
  return 1
end
register('open', open)
