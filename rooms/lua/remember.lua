-- remember: note at a user that a room knows them, before it does, so that deleting the account finds the room.
-- KEYS 1 the user's tag
-- ARGV 1 the room's tag  2 the room's id if they become a member, else ''  3 how many rooms one may be in, with an id
--      4 how many one may own, with the id of a room that they make, 0 for no limit; else ''
-- Reply  1; refuses an account that was deleted, one that is in as many rooms already, and one that owns as many
-- May be repeated. The lists may name rooms that do not know the user: whoever reads them asks the room. Until it is said
-- that the user came in, nothing that is said of an earlier departure takes the room out of their list. Runs when memory
-- is full: it is also what comes before an admin deletes something.
--   {user:5}:rooms   sorted set of ids of rooms they are in, by id
--   {user:5}:coming  hash: room id -> how many times they are about to come in, or have and were not told yet
--   {user:5}:owned   set of ids of rooms that they made
--   {user:5}:signed  set of tags of logs that hold what they wrote
local function remember(keys, args)
  local tag, log, room, most, most_owned = keys[1], unpack(args, 1, 4)
  if redis.call('EXISTS', tag .. ':gone') == 1 then return refuse('account_gone') end
  local rooms = tag .. ':rooms'
  if room ~= '' and not redis.call('ZSCORE', rooms, room) and redis.call('ZCARD', rooms) >= tonumber(most) then
    return refuse('too_many_rooms')
  end
  if most_owned and most_owned ~= '' then
    local owned, limit = tag .. ':owned', tonumber(most_owned)
    local is_new = redis.call('SISMEMBER', owned, room) == 0
    if is_new and limit > 0 and redis.call('SCARD', owned) >= limit then return refuse('rate_limited') end
    redis.call('SADD', owned, room)
  end
  redis.call('SADD', tag .. ':signed', log)
  if room ~= '' then
    redis.call('ZADD', rooms, place_of(room), room)
    redis.call('HINCRBY', tag .. ':coming', room, 1)
  end
  return 1
end
register('remember', remember, WHEN_FULL)
