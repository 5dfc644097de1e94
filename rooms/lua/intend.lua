-- intend: say that a room is about to be renamed, before the name is claimed.
-- KEYS 1 the room's tag
-- ARGV 1 the caller's account id  2 '1' for an admin  3 the key of the new name  4 a token that tells this rename from
--      others
-- Reply  1; refuses a room the caller can't see or does not own
-- May be repeated; a later intention replaces an earlier one, which then can't be carried out.
local function intend(keys, args)
  local room = admit(keys[1], args[1], args[2])
  if not room then return refuse('room_not_found') end
  if room.owner ~= args[1] and args[2] ~= '1' then return refuse('not_the_owner') end
  redis.call('HSET', keys[1] .. ':room', 'pending', args[3], 'intent', args[4])
  return 1
end
register('intend', intend)
