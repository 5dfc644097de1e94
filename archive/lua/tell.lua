-- tell: the follower says how far it got.
-- KEYS 1 the archive's tag
-- ARGV 1 its name  2 how many events it copied since it last told  3 how many events the store let go of since
-- Reply  1
-- Not to be repeated: the numbers are added. Runs when memory is full.
local function tell(keys, args)
  local progress, name, archived, trimmed = keys[1] .. ':progress', unpack(args, 1, 3)
  redis.call('HSET', progress, 'follower', name, 'at', now_in_ms())
  redis.call('HINCRBY', progress, 'archived', archived)
  redis.call('HINCRBY', progress, 'trimmed', trimmed)
  return 1
end
register('tell', tell, WHEN_FULL)
