-- remove_member: take somebody out of a room, tell those who read it, and note that the user concerned is to be told.
-- KEYS 1 the room's tag
-- ARGV 1 the caller's account id  2 '1' for an admin  3 the caller's name as JSON  4 the account id of the user concerned
--      5 their name as JSON
-- Reply  {1 if they were taken out now, 0 if they were not in; notices, as `with_notices` gives them}; refuses a room the
--        caller can't see, and a caller who is not in it, unless they leave it themselves, and to take the owner out, but for an admin
-- Atomic: membership, event and notice. May be repeated. Runs when memory is full.
local function remove_member(keys, args)
  local tag, user, is_admin, name, someone, someones_name = keys[1], unpack(args, 1, 5)
  local room = admit(tag, user, is_admin)
  if not room then return refuse('room_not_found') end
  if not (someone == user or is_admin == '1' or is_member(tag, user)) then return refuse('not_a_member') end
  local takes_owner_out = someone == room.owner and someone ~= user and is_member(tag, someone)
  if takes_owner_out and is_admin ~= '1' then return refuse('forbidden') end
  if not take_out(tag, someone) then return with_notices(tag, {0}) end
  redis.call('HSET', tag .. ':signers', someone, someones_name) -- processes know by the present name whose sockets hear on
  sign(tag, user, name)
  local told = '"username":' .. name_of(someone) .. ',"by":' .. name_of(user)
  local offset = append(tag, topic_json(tag), 'member_removed', '', told)
  note(tag, offset, someone, 'room_removed', user)
  return with_notices(tag, {1})
end
register_on_log('remove_member', remove_member, WHEN_FULL)
