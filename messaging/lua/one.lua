-- one: a message of a room, as it is now.
-- KEYS 1 the room's tag
-- ARGV 1 the caller's account id  2 '1' for an admin  3 the message's id
-- Reply  the message as JSON, '' if the archive alone may have it; refuses a room the caller can't see and a message that
--        is not there
-- Reads only.
local function one(keys, args)
  local tag, user, is_admin, id = keys[1], unpack(args, 1, 3)
  local room, refusal = admit(tag, user, is_admin)
  if not room then return refusal end
  local by, body = read_message(tag, id)
  if by then return message_json(tag, id, by, body) end
  return is_past(tag, id) and '' or refuse('message_not_found')
end
register_on_log('one', one, READ_ONLY)
