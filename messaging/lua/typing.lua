-- typing: pass on that somebody is writing, to those who read a room's or a user's topic at this moment.
-- KEYS 1 the tag of a room or a user
-- ARGV 1 the caller's account id  2 '1' for an admin  3 his name as JSON  4 the topic's name as JSON
-- Reply  1; refuses a room the caller can't see
-- Stores nothing, so the event has no offset.
local function typing(keys, args)
  local tag = keys[1]
  if string.sub(tag, 1, 6) == '{room:' and not admit(tag, args[1], args[2]) then return refuse('room_not_found') end
  local event = '{"type":"typing","topic":' .. args[4] .. ',"username":' .. args[3] .. '}'
  redis.call('SPUBLISH', tag, announcement(0, '', 'typing', event))
  return 1
end
register('typing', typing)
