-- add_member: let somebody into a room, tell those who read it, and note that he is to be told.
-- KEYS 1 the room's tag
-- ARGV 1 the caller's account id  2 '1' for an admin  3 the caller's name as JSON  4 the account id of the one concerned
--      5 his name as JSON  6 the time, '' while it is not noted at him that the room knows him
-- Reply  {1 if he was let in now, 0 if he was in; the time he joined, '' when he must be noted first; notices, as
--        `with_notices` gives them}; refuses a room the caller can't see, a caller who is not in it, unless he lets
--        himself into an open one, and an account that was deleted
-- Atomic: membership, event and notice. May be repeated.
local function add_member(keys, args)
  local tag, user, someone = keys[1], args[1], args[4]
  local room = admit(tag, user, args[2])
  if not room then return refuse('room_not_found') end
  local joined = redis.call('HGET', tag .. ':members', someone)
  if joined then return with_notices(tag, {0, joined}) end
  local himself = someone == user and room.members_only == '0'
  if not (himself or args[2] == '1' or is_member(tag, user)) then return refuse('not_a_member') end
  if args[6] == '' then return {0, ''} end
  if redis.call('HGET', tag .. ':signers', someone) == 'null' then return refuse('account_gone') end
  redis.call('HSET', tag .. ':members', someone, args[6])
  redis.call('HSET', tag .. ':signers', someone, args[5])
  sign(tag, user, args[3])
  local told = '"username":' .. name_of(someone) .. ',"by":' .. name_of(user)
  local offset = append(tag, topic_json(tag), 'member_added', '', told)
  redis.call('HSET', tag .. ':joined', someone, offset)
  note(tag, offset, someone, 'room_added', user)
  return with_notices(tag, {1, args[6]})
end
register('add_member', add_member)
