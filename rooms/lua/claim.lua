-- claim: reserve a name in the index, for a given room or for one that is about to be made.
-- KEYS 1 the index's tag, {rooms}
-- ARGV 1 the key of the name  2 a room's id, or '' for the next one  3 … the words of the name
-- Reply  {1, id, number of the claim} when the name is now that room's; {0, id, number} when it is another's
-- Atomic: one room holds a name. May be repeated for a given room; repeated for a new one, it finds its own claim taken
-- by a room that does not exist, and the next step makes that one. Each time a room claims a name the claim gets a new
-- number, so that `release`, by whoever saw an older one, does not take it away.
--   {rooms}:names  hash: key of a name -> room id, a blank, number of the claim
--   {rooms}:last, {rooms}:claims  the last id and the last number given
--   {rooms}:ids, {rooms}:open  sorted sets of room ids by id, which is by creation: all, and those open to everyone
local function claim(keys, args)
  local index, key, id = keys[1], unpack(args, 1, 2)
  local held = redis.call('HGET', index .. ':names', key)
  if held then
    local holder, number = string.match(held, '^(%d+) (%d+)$')
    if holder ~= id then return {0, holder, number} end
  elseif id == '' then
    id = tostring(redis.call('INCR', index .. ':last'))
    redis.call('ZADD', index .. ':ids', id, id)
  end
  local number = redis.call('INCR', index .. ':claims')
  redis.call('HSET', index .. ':names', key, id .. ' ' .. number)
  for i = 3, #args do redis.call('ZADD', index .. ':words', 0, args[i] .. '\0' .. key) end
  if tonumber(redis.call('GET', index .. ':listed') or 0) == number - 1 then
    redis.call('SET', index .. ':listed', number)
  end
  return {1, id, tostring(number)}
end
register('claim', claim)
