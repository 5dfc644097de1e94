-- remove_member: take somebody out of a room, tell those who read it, and note that he is to be told.
-- KEYS 1 the room's tag
-- ARGV 1 the caller's account id  2 '1' for an admin  3 the caller's name as JSON  4 the account id of the one concerned
--      5 his name as JSON
-- Reply  {1 if he was taken out now, 0 if he was not in; notices, as `with_notices` gives them}; refuses a room the caller
--        can't see, and a caller who is not in it, unless he leaves it himself
-- Atomic: membership, event and notice. May be repeated.
local function remove_member(keys, args)
  local tag, user, someone = keys[1], args[1], args[4]
  if not admit(tag, user, args[2]) then return refuse('room_not_found') end
  if not (someone == user or args[2] == '1' or is_member(tag, user)) then return refuse('not_a_member') end
  if redis.call('HDEL', tag .. ':members', someone) == 0 then return with_notices(tag, {0}) end
  redis.call('HDEL', tag .. ':joined', someone)
  redis.call('HSET', tag .. ':signers', someone, args[5]) -- processes know by the name he has now whose sockets hear on
  sign(tag, user, args[3])
  local told = '"username":' .. name_of(someone) .. ',"by":' .. name_of(user)
  local offset = append(tag, topic_json(tag), 'member_removed', '', told)
  note(tag, offset, someone, 'room_removed', user)
  return with_notices(tag, {1})
end
register('remove_member', remove_member)
