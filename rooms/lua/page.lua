-- page: ids of rooms from a list, by creation.
-- KEYS 1 the tag of the index, or of a user for the rooms they are in
-- ARGV 1 the list: ids, open, timed or rooms  2 the id after which they are, -1 to begin with the lobby  3 the id before which
--      they are, '' for the end  4 how many at most  5 '1' for the last of them, newest first
-- Reply  {id, …}
-- Reads only.
local function page(keys, args)
  local tag, name, after, before, limit, backwards = keys[1], unpack(args, 1, 5)
  local list, oldest, newest = tag .. ':' .. name, '(' .. after, before == '' and '+inf' or '(' .. before
  if backwards == '1' then return redis.call('ZREVRANGEBYSCORE', list, newest, oldest, 'LIMIT', 0, limit) end
  return redis.call('ZRANGEBYSCORE', list, oldest, newest, 'LIMIT', 0, limit)
end
register('page', page, READ_ONLY)
