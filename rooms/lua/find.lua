-- find: which room holds a name.
-- KEYS 1 the index's tag
-- ARGV 1 the key of the name
-- Reply  the room's id, '' for none
-- Reads only.
local function find(keys, args)
  local index, key = keys[1], args[1]
  local held = redis.call('HGET', index .. ':names', key)
  return held and string.match(held, '^%d+') or ''
end
register('find', find, READ_ONLY)
