-- remove_member: take somebody out of a room, tell those who read it, and note that the user concerned is to be told.
-- KEYS 1 the room's tag
-- ARGV 1 the caller's account id  2 '1' for an admin  3 the caller's name as JSON  4 the account id of the user concerned
--      5 their name as JSON
-- Reply  {1 if they were taken out now, 0 if they were not in; notices, as `with_notices` gives them}; refuses a room the
--        caller can't see, and a caller who is not in it, unless they leave it themselves, and to take out whom the table of
--        rights does not give them
-- Atomic: membership, event, notice and audit. May be repeated. Runs when memory is full.
local function remove_member(keys, args)
  local tag, user, is_admin, name, someone, someones_name = keys[1], unpack(args, 1, 5)
  local room, refusal = admit(tag, user, is_admin)
  if not room then return refusal end
  if someone ~= user then
    if is_admin ~= '1' and not is_member(tag, user) then return refuse('not_a_member') end
    local refused = is_member(tag, someone) and why_not(tag, room, user, is_admin, 'remove_member', someone)
    if refused then return refuse(refused) end
  end
  if not take_out(tag, someone) then return with_notices(tag, {0}) end
  redis.call('HSET', tag .. ':signers', someone, someones_name) -- processes know by the present name whose sockets hear on
  sign(tag, user, name)
  local told = '"username":' .. name_of(someone) .. ',"by":' .. name_of(user)
  local offset = append(tag, topic_json(tag), 'member_removed', '', told)
  note(tag, offset, someone, 'room_removed', user)
  if someone ~= user then note_in_audit(tag, user, 'member_removed', '"username":' .. name_of(someone)) end
  return with_notices(tag, {1})
end
register_on_log('remove_member', remove_member, WHEN_FULL)
