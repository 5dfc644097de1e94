-- page: ids of rooms from a list, by creation.
-- KEYS 1 the tag of the index, or of a user for the rooms he is in
-- ARGV 1 the list: ids, open or rooms  2 the id after which to go on  3 how many at most
-- Reply  {id, …}
local function page(keys, args)
  return redis.call('ZRANGEBYSCORE', keys[1] .. ':' .. args[1], '(' .. args[2], '+inf', 'LIMIT', 0, args[3])
end
register('page', page, READ_ONLY)
