-- listed: the words of all names are listed that were claimed up to a claim.
-- KEYS 1 the index's tag
-- ARGV 1 the number of that claim
-- Reply  1
-- May be repeated.
local function listed(keys, args)
  local key, number = keys[1] .. ':listed', tonumber(args[1])
  if number > tonumber(redis.call('GET', key) or 0) then redis.call('SET', key, args[1]) end
  return 1
end
register('listed', listed)
