-- post: store a message in a room, announce it, and answer with it.
-- KEYS 1 the room's tag
-- ARGV 1 the sender's account id  2 '1' for an admin  3 his name as JSON, '' while it is not noted that he signs here
--      4 the message's body, as the prelude says  5 a retry key, '' for none  6 a hash of the request
--      7 seconds to remember the key
-- Reply  the message as JSON, '' when the sender must be noted first; refuses a room he can't see, and a retry key that
--        came with another request
-- Atomic: stored, announced and remembered, or nothing of it. Repeated with its retry key it answers as the first time.
local function post(keys, args)
  local tag, user = keys[1], args[1]
  if not admit(tag, user, args[2]) then return refuse('room_not_found') end
  local earlier = recall(tag, user, args[5], args[6])
  if earlier then return earlier end
  if not may_sign(tag, user, args[3]) then return '' end
  local offset = append(tag, topic_json(tag), 'message', user, '"message":' .. args[4])
  redis.call('XADD', tag .. ':messages', offset .. '-0', '', '')
  local message = fill(args[4], offset, signature(tag, user))
  remember(tag, user, args[5], args[6], args[7], message)
  return message
end
register('post', post)
