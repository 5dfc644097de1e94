-- name: the name of this store.
-- KEYS 1 the archive's tag
-- ARGV 1 the name to give it if it has none, '' to give it none
-- Reply  the name it has, '' for none
-- May be repeated.
local function name(keys, args)
  local store, new = keys[1] .. ':store', args[1]
  if new ~= '' then redis.call('SETNX', store, new) end
  return redis.call('GET', store) or ''
end
register('name', name, WHEN_FULL)
