-- told: notices are in the logs of those they concern; they need not be said again.
-- KEYS 1 the room's tag
-- ARGV 1 … the offsets of their changes
-- Reply  what is to be said next, as `with_notices` gives it
-- May be repeated. Runs when memory is full.
local function told(keys, offsets)
  local tag = keys[1]
  for _, offset in ipairs(offsets) do
    redis.call('HDEL', tag .. ':notices', offset)
    redis.call('ZREMRANGEBYSCORE', tag .. ':news', offset, offset)
  end
  return with_notices(tag, {})
end
register('told', told, WHEN_FULL)
