-- remove: take a table out of the list, and tell those who read it.
-- KEYS 1 the list's tag
-- ARGV 1 the table's id
-- Reply  1; refuses an id that is not in the list
-- Atomic: the change and its event. Repeated, it refuses. Runs when memory is full.
local function remove(keys, args)
  local tag, id = keys[1], args[1]
  if redis.call('HDEL', tag .. ':tables', id) == 0 then return refuse('table_not_found') end
  link(tag, neighbour(tag, ':prev', id), neighbour(tag, ':next', id))
  redis.call('HDEL', tag .. ':next', id)
  redis.call('HDEL', tag .. ':prev', id)
  announce(tag, 'table_removed', '"id":' .. id)
  return 1
end
register_on_log('remove', remove, WHEN_FULL)
