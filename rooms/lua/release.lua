-- release: give a name back, if the claim on it is still the one that was seen; with a deleted room, take that out of
-- the index too.
-- KEYS 1 the index's tag
-- ARGV 1 the key of the name  2 the room's id  3 the number of the claim, '' if the room itself is gone
--      4 … the words of the name
-- Reply  1
-- May be repeated. Runs when memory is full.
local function release(keys, args)
  local index, key, id, number = keys[1], unpack(args, 1, 3)
  local held = redis.call('HGET', index .. ':names', key) or ''
  if held == id .. ' ' .. number or (number == '' and string.match(held, '^%d+') == id) then
    redis.call('HDEL', index .. ':names', key)
    for i = 4, #args do redis.call('ZREM', index .. ':words', args[i] .. '\0' .. key) end
  end
  if number == '' then
    redis.call('ZREM', index .. ':ids', id)
    redis.call('ZREM', index .. ':open', id)
    redis.call('ZREM', index .. ':timed', id)
  end
  return 1
end
register('release', release, WHEN_FULL)
