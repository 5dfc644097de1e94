-- one: a message of a room, as it is now.
-- KEYS 1 the room's tag
-- ARGV 1 the caller's account id  2 '1' for an admin  3 the message's id
-- Reply  the message as JSON; refuses a room the caller can't see and a message that is not there
-- Reads only.
local function one(keys, args)
  local tag = keys[1]
  if not admit(tag, args[1], args[2]) then return refuse('room_not_found') end
  local kind, by, body = read_message(tag, args[3])
  if not kind then return refuse('message_not_found') end
  return message_json(tag, args[3], by, body)
end
register('one', one, READ_ONLY)
