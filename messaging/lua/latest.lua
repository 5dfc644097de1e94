-- latest: the last message of a room, or of what was said between two.
-- KEYS 1 the tag of a room or a user
-- ARGV 1 the caller's account id  2 '1' for an admin  3 which index to read: messages, or with:<account id>
-- Reply  {the message's id, the message as JSON}, 0 and '' if there is none; {} for a room the caller can't see
-- Reads only.
local function latest(keys, args)
  local tag = keys[1]
  if string.sub(tag, 1, 6) == '{room:' and not admit(tag, args[1], args[2]) then return {} end
  return {last_message(tag, args[3])}
end
register('latest', latest, READ_ONLY)
