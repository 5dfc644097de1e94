-- forget_blocker: take out what a user who was deleted had to do with this one's blocks.
-- KEYS 1 this user's tag
-- ARGV 1 the account id of the one who was deleted
-- Reply  1
-- May be repeated. Runs when memory is full.
local function forget_blocker(keys, args)
  redis.call('HDEL', keys[1] .. ':blocks', args[1])
  redis.call('HDEL', keys[1] .. ':blocked_by', args[1])
  return 1
end
register('forget_blocker', forget_blocker, WHEN_FULL)
