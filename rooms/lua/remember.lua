-- remember: note at a user that a room knows him, before it does, so that deleting the account finds the room.
-- KEYS 1 the user's tag
-- ARGV 1 the room's tag  2 the room's id if he becomes a member, else ''
-- Reply  1; refuses an account that was deleted
-- May be repeated. The lists may name rooms that do not know him: whoever reads them asks the room. Until it is said that
-- he came in, nothing that is said of an earlier departure takes the room out of his list.
--   {user:5}:rooms   sorted set of ids of rooms he is in, by id
--   {user:5}:coming  hash: room id -> how many times he is about to come in, or has and was not told yet
--   {user:5}:signed  set of tags of logs that hold what he wrote
local function remember(keys, args)
  local user = keys[1]
  if redis.call('EXISTS', user .. ':gone') == 1 then return refuse('account_gone') end
  redis.call('SADD', user .. ':signed', args[1])
  if args[2] ~= '' then
    redis.call('ZADD', user .. ':rooms', place_of(args[2]), args[2])
    redis.call('HINCRBY', user .. ':coming', args[2], 1)
  end
  return 1
end
register('remember', remember)
