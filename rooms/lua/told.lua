-- told: notices are in the logs of those they concern; they need not be said again.
-- KEYS 1 the room's tag
-- ARGV 1 … the offsets of their changes
-- Reply  1
-- May be repeated.
local function told(keys, args)
  redis.call('HDEL', keys[1] .. ':notices', unpack(args))
  return 1
end
register('told', told)
