-- tell: say in a user's own log that they are in a room now, or no longer, and keep the list of their rooms.
-- KEYS 1 the user's tag
-- ARGV 1 their name as JSON  2 the room's id  3 the offset of the change in the room's log  4 room_added or room_removed
--      5 the event's body
-- Reply  1
-- Atomic. May be repeated: a room's changes come in the order of its log, so one at or before the last that came from
-- there was said already. An account that was deleted is told nothing. A room stays in the list of its owner, who still
-- sees it. Runs when memory is full: the change is made.
--   {user:5}:told  hash: room id -> offset of the last change that was said
local function tell(keys, args)
  local tag, name, room, offset, kind, body = keys[1], args[1], args[2], tonumber(args[3]), args[4], args[5]
  if redis.call('EXISTS', tag .. ':gone') == 1 then return 1 end
  if offset <= tonumber(redis.call('HGET', tag .. ':told', room) or -1) then return 1 end
  redis.call('HSET', tag .. ':told', room, offset)
  if kind == 'room_added' then
    redis.call('ZADD', tag .. ':rooms', place_of(room), room)
    if redis.call('HINCRBY', tag .. ':coming', room, -1) <= 0 then redis.call('HDEL', tag .. ':coming', room) end
  elseif redis.call('HEXISTS', tag .. ':coming', room) == 0
    and not string.find(body, '"owner":' .. name .. ',', 1, true) then
    redis.call('ZREM', tag .. ':rooms', room)
  end
  append(tag, '"user:' .. string.sub(name, 2), kind, '', body)
  return 1
end
register_on_log('tell', tell, WHEN_FULL)
