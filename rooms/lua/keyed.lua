-- keyed: by which way of making keys the names in the index are kept.
-- KEYS 1 the index's tag
-- ARGV 1 the way that they are kept by now, '' to ask
-- Reply  the way, '' for that of the first release
-- May be repeated.
--   {rooms}:keyed  the way
local function keyed(keys, args)
  if args[1] ~= '' then redis.call('SET', keys[1] .. ':keyed', args[1]) end
  return redis.call('GET', keys[1] .. ':keyed') or ''
end
register('keyed', keyed)
