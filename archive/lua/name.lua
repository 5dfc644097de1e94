-- name: the name of this store.
-- KEYS 1 the archive's tag
-- ARGV 1 the name to give it if it has none, '' to give it none
-- Reply  the name it has, '' for none
-- May be repeated.
local function name(keys, args)
  if args[1] ~= '' then redis.call('SETNX', keys[1] .. ':store', args[1]) end
  return redis.call('GET', keys[1] .. ':store') or ''
end
register('name', name)
