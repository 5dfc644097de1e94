-- restrict: ban or mute somebody in a room, tell those who read it, and note it in the audit.
-- KEYS 1 the room's tag
-- ARGV 1 the caller's account id  2 '1' for an admin  3 the caller's name as JSON  4 the account id of the user concerned
--      5 their name as JSON  6 the list: bans or mutes  7 when it is over, in ms, 0 for never  8 the same as JSON
--      9 the reason as JSON  10 the time, '' while it is not noted at the user that this log knows them
-- Reply  {the ban or the mute as JSON, '' when the user must be noted first; notices, as `with_notices` gives them}; refuses a room the caller can't see, what
--        the table of rights does not give them, and an account that was deleted
-- Atomic: the ban, the end of the membership, event, notice and audit; from here on nothing of the user is stored.
-- Repeated with the same terms it says nothing. Runs when memory is full.
local function restrict(keys, args)
  local tag, user, is_admin, name, someone, someones_name, list, ends, upto, reason, time = keys[1], unpack(args, 1, 10)
  local room, refusal = admit(tag, user, is_admin)
  if not room then return refusal end
  local kind = KINDS[list]
  local refused = why_not(tag, room, user, is_admin, kind.right, someone)
  if refused then return refuse(refused) end
  if redis.call('HGET', tag .. ':signers', someone) == 'null' then return refuse('account_gone') end
  if time == '' then return {''} end
  local was_in = list == 'bans' and take_out(tag, someone)
  local entry = table.concat({ends, user, time, upto, reason}, ' ')
  local earlier = restriction(tag, list, someone)
  if earlier and not was_in then
    local _, by = read_restriction(earlier)
    if by == user and terms_json(earlier) == terms_json(entry) then
      return with_notices(tag, {restriction_json(tag, someone, earlier)})
    end
  end
  redis.call('HSET', tag .. ':signers', someone, someones_name) -- processes know by the present name whose sockets to close
  sign(tag, user, name)
  keep_restriction(tag, list, someone, entry)
  local told = '"username":' .. name_of(someone) .. ',' .. terms_json(entry)
  local offset = append(tag, topic_json(tag), kind.imposed, '', told .. ',"by":' .. name_of(user))
  if was_in then note(tag, offset, someone, 'room_removed', user) end
  note_in_audit(tag, user, kind.imposed, told)
  return with_notices(tag, {restriction_json(tag, someone, entry)})
end
register_on_log('restrict', restrict, WHEN_FULL)
