-- latest: the last message of a room, or of what was said between two.
-- KEYS 1 the tag of a room or a user
-- ARGV 1 the caller's account id  2 '1' for an admin  3 which list to read: messages, or with:<account id>
-- Reply  {the message's id, the message as JSON, and what else `last_message` says}; {} for a room the caller can't see
-- Reads only.
local function latest(keys, args)
  local tag, user, is_admin, list = keys[1], unpack(args, 1, 3)
  if refusal_of(tag, user, is_admin) then return {} end
  return {last_message(tag, list)}
end
register_on_log('latest', latest, READ_ONLY)
