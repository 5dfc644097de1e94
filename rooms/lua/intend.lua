-- intend: say that a room is about to be renamed, before the name is claimed.
-- KEYS 1 the room's tag
-- ARGV 1 the caller's account id  2 '1' for an admin  3 the key of the new name  4 a token that tells this rename from
--      others
-- Reply  1; refuses a room the caller can't see or does not own
-- May be repeated; a later intention replaces an earlier one, which then can't be carried out.
local function intend(keys, args)
  local tag, user, is_admin, key, token = keys[1], unpack(args, 1, 4)
  local room, refusal = admit(tag, user, is_admin)
  if not room then return refusal end
  if room.owner ~= user and is_admin ~= '1' then return refuse('not_the_owner') end
  redis.call('HSET', tag .. ':room', 'pending', key, 'intent', token)
  return 1
end
register('intend', intend)
