-- set_role: make a member a moderator, or no longer; tell those who read the room, and note it in the audit.
-- KEYS 1 the room's tag
-- ARGV 1 the caller's account id  2 '1' for an admin  3 the caller's name as JSON  4 the account id of the user concerned
--      5 their name as JSON  6 the role: moderator or member
-- Reply  the time they joined; refuses a room the caller can't see, what the table of rights does not give them, and a
--        user who is not in the room
-- Atomic: the role, event and audit. Repeated, it says nothing. Runs when memory is full: it also ends rights.
local function set_role(keys, args)
  local tag, user, is_admin, name, someone, someones_name, role = keys[1], unpack(args, 1, 6)
  local room, refusal = admit(tag, user, is_admin)
  if not room then return refusal end
  local refused = why_not(tag, room, user, is_admin, 'set_role', someone)
  if refused then return refuse(refused) end
  local since = redis.call('HGET', tag .. ':members', someone)
  if not since then return refuse('not_in_room') end
  if role_of(tag, room, someone) == role then return since end
  if role == 'moderator' then
    redis.call('HSET', tag .. ':roles', someone, since)
  else
    redis.call('HDEL', tag .. ':roles', someone)
  end
  redis.call('HSET', tag .. ':signers', someone, someones_name)
  sign(tag, user, name)
  local told = '"username":' .. name_of(someone) .. ',"role":"' .. role .. '"'
  append(tag, topic_json(tag), 'member_updated', '', told .. ',"by":' .. name_of(user))
  note_in_audit(tag, user, 'member_updated', told)
  return since
end
register_on_log('set_role', set_role, WHEN_FULL)
