-- find: which room holds a name.
-- KEYS 1 the index's tag
-- ARGV 1 the key of the name
-- Reply  the room's id, '' for none
local function find(keys, args)
  local held = redis.call('HGET', keys[1] .. ':names', args[1])
  return held and string.match(held, '^%d+') or ''
end
register('find', find, READ_ONLY)
