-- members: some of those who are in a room, by the time they joined.
-- KEYS 1 the room's tag
-- ARGV 1 the caller's account id  2 '1' for an admin  3 the place after which they are, '' to begin  4 how many at most
-- Reply  {1 if the order is whole, 0 if `index_members` must put it right first; how many are in the room; the place
--        after which there are more, '' for none; {account id, name as JSON, time of joining, role, …}; notices, as
--        `with_notices` gives them}; refuses a room the caller can't see
-- Reads only.
local function members(keys, args)
  local tag, user, is_admin, after, limit = keys[1], args[1], args[2], args[3], tonumber(args[4])
  local room, refusal = admit(tag, user, is_admin)
  if not room then return refusal end
  local count = redis.call('HLEN', tag .. ':members')
  local whole = redis.call('ZCARD', tag .. ':order') == count
  local oldest = after == '' and '-' or '(' .. after
  local entries = redis.call('ZRANGEBYLEX', tag .. ':order', oldest, '+', 'LIMIT', 0, limit + 1)
  local ids, times = {}, {}
  for i = 1, math.min(#entries, limit) do ids[i], times[i] = read_entry(entries[i]) end
  local rows, is_in, names = {}, values_of(tag .. ':members', ids), values_of(tag .. ':signers', ids)
  local roles = values_of(tag .. ':roles', ids)
  for i, id in ipairs(ids) do
    whole = whole and is_in[i] == times[i]
    local role = id == room.owner and 'owner' or roles[i] == times[i] and 'moderator' or 'member'
    for _, value in ipairs{id, names[i] or 'null', times[i], role} do rows[#rows + 1] = value end
  end
  return with_notices(tag, {whole and 1 or 0, count, #entries > limit and entries[limit] or '', rows})
end
register('members', members, READ_ONLY)
