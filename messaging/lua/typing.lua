-- typing: pass on that somebody is writing, to those who read a room's or a user's topic at this moment.
-- KEYS 1 the tag of a room or a user
-- ARGV 1 the caller's account id  2 '1' for an admin  3 their name as JSON  4 the topic's name as JSON
-- Reply  1; refuses a room the caller can't see, or is muted in, and a caller whom the user blocks
-- Stores nothing, so the event has no offset, and it runs when memory is full.
local function typing(keys, args)
  local tag, user, is_admin, name, topic = keys[1], unpack(args, 1, 4)
  if string.sub(tag, 1, 6) == '{room:' then
    local room, refusal = admit(tag, user, is_admin)
    if not room then return refusal end
    refusal = refuse_muted(tag, room, user, is_admin)
    if refusal then return refusal end
  elseif redis.call('HEXISTS', tag .. ':blocks', user) == 1 then
    return refuse('blocked')
  end
  local event = '{"type":"typing","topic":' .. topic .. ',"username":' .. name .. '}'
  redis.call('SPUBLISH', tag, announcement(0, '', 'typing', event))
  return 1
end
register('typing', typing, WHEN_FULL)
