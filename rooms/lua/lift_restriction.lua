-- lift_restriction: end a ban or a mute before its time, tell those who read the room, and note it in the audit.
-- KEYS 1 the room's tag
-- ARGV 1 the caller's account id  2 '1' for an admin  3 the caller's name as JSON  4 the account id of the user concerned
--      5 the list: bans or mutes
-- Reply  1; refuses a room the caller can't see, what the table of rights does not give them, and a user who is not, or
--        no longer, banned or muted
-- Atomic: the change, event and audit. Repeated, it refuses. Runs when memory is full.
local function lift_restriction(keys, args)
  local tag, user, is_admin, name, someone, list = keys[1], unpack(args, 1, 5)
  local room, refusal = admit(tag, user, is_admin)
  if not room then return refusal end
  local kind = KINDS[list]
  local refused = why_not(tag, room, user, is_admin, kind.right, someone)
  if refused then return refuse(refused) end
  local is_in_force = restriction(tag, list, someone)
  drop_restriction(tag, list, someone)
  if not is_in_force then return refuse(kind.missing) end
  sign(tag, user, name)
  local told = '"username":' .. name_of(someone)
  append(tag, topic_json(tag), kind.lifted, '', told .. ',"by":' .. name_of(user))
  note_in_audit(tag, user, kind.lifted, told)
  return 1
end
register_on_log('lift_restriction', lift_restriction, WHEN_FULL)
