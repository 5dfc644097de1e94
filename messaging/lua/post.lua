-- post: store a message in a room, announce it, and answer with it.
-- KEYS 1 the room's tag
-- ARGV 1 the sender's account id  2 '1' for an admin  3 their name as JSON, '' while it is not noted that they sign here
--      4 the message's body, as the prelude says  5 a retry key, '' for none  6 a hash of the request
--      7 seconds to remember the key
-- Reply  the message as JSON, '' when the sender must be noted first; refuses a room they can't see, an owner who
--        left a room that is for its members, a retry key that came with another request, who is muted, and who must
--        still wait in slow mode, with the seconds
-- Atomic: stored, announced and remembered, or nothing of it. Repeated with its retry key it answers as the first time.
local function post(keys, args)
  local tag, user, is_admin, name, body, retry_key, request, lifetime = keys[1], unpack(args, 1, 7)
  local room, refusal = admit(tag, user, is_admin)
  if not room then return refusal end
  if room.members_only == '1' and is_admin ~= '1' and not is_member(tag, user) then return refuse('not_a_member') end
  local earlier = recall_message(tag, user, retry_key, request, body)
  if earlier then return earlier end
  refusal = refuse_muted(tag, room, user, is_admin)
  if refusal then return refusal end
  local wait = room.slow_mode and seconds_to_wait(tag, room, user, is_admin) or 0
  if wait > 0 then return refuse('slow_mode ' .. wait) end
  if not may_sign(tag, user, name) then return '' end
  if room.slow_mode then note_post(tag, user) end
  local offset = append(tag, topic_json(tag), 'message', user, FIELD .. body)
  local message = fill(body, offset, signature(tag, user))
  remember_message(tag, user, retry_key, request, lifetime, body, offset)
  return message
end
register_on_log('post', post)
