-- see: one room, as its caller may see it.
-- KEYS 1 the room's tag
-- ARGV 1 the caller's account id  2 '1' for an admin
-- Reply  the room as JSON; refuses a room the caller can't see, and one that they are banned from
-- Reads only.
local function see(keys, args)
  local tag, user, is_admin = keys[1], args[1], args[2]
  local room, refusal = admit(tag, user, is_admin)
  return room and room_json(tag, room) or refusal
end
register('see', see, READ_ONLY)
