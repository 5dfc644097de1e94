-- add_member: let somebody into a room, tell those who read it, and note that the user concerned is to be told.
-- KEYS 1 the room's tag
-- ARGV 1 the caller's account id  2 '1' for an admin  3 the caller's name as JSON  4 the account id of the user concerned
--      5 their name as JSON  6 the time, '' while it is not noted at them that the room knows them
-- Reply  {1 if they were let in now, 0 if they were in; the time they joined, '' when they must be noted first; notices,
--        as `with_notices` gives them}; refuses a room the caller can't see, a caller who is not in it, unless they let
--        themselves into an open one or their own, somebody who is banned, and an account that was deleted
-- Atomic: membership, event and notice. May be repeated.
local function add_member(keys, args)
  local tag, user, is_admin, name, someone, someones_name, time = keys[1], unpack(args, 1, 6)
  local room, refusal = admit(tag, user, is_admin)
  if not room then return refusal end
  if room.bans and restriction(tag, 'bans', someone) then return refuse('banned') end
  local since = redis.call('HGET', tag .. ':members', someone)
  if since then return with_notices(tag, {0, since}) end
  local lets_themselves_in = someone == user and (room.members_only == '0' or room.owner == user)
  if not (lets_themselves_in or is_admin == '1' or is_member(tag, user)) then return refuse('not_a_member') end
  if time == '' then return {0, ''} end
  if redis.call('HGET', tag .. ':signers', someone) == 'null' then return refuse('account_gone') end
  let_in(tag, someone, time)
  redis.call('HSET', tag .. ':signers', someone, someones_name)
  sign(tag, user, name)
  local told = '"username":' .. name_of(someone) .. ',"by":' .. name_of(user)
  local offset = append(tag, topic_json(tag), 'member_added', '', told)
  redis.call('HSET', tag .. ':joined', someone, offset)
  note(tag, offset, someone, 'room_added', user)
  return with_notices(tag, {1, time})
end
register_on_log('add_member', add_member)
