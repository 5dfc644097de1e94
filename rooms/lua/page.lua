-- page: ids of rooms from a list, by creation.
-- KEYS 1 the tag of the index, or of a user for the rooms he is in
-- ARGV 1 the list: ids, open or rooms  2 the id after which they are, -1 to begin with the lobby  3 the id before which
--      they are, '' for the end  4 how many at most  5 '1' for the last of them, newest first
-- Reply  {id, …}
local function page(keys, args)
  local list, oldest, newest = keys[1] .. ':' .. args[1], '(' .. args[2], args[3] == '' and '+inf' or '(' .. args[3]
  if args[5] == '1' then return redis.call('ZREVRANGEBYSCORE', list, newest, oldest, 'LIMIT', 0, args[4]) end
  return redis.call('ZRANGEBYSCORE', list, oldest, newest, 'LIMIT', 0, args[4])
end
register('page', page, READ_ONLY)
