-- disown: a room that a user was about to make was made by another, or is gone: it does not count as theirs.
-- KEYS 1 the user's tag
-- ARGV 1 the room's id
-- Reply  1
-- May be repeated. Runs when memory is full.
local function disown(keys, args)
  redis.call('SREM', keys[1] .. ':owned', args[1])
  return 1
end
register('disown', disown, WHEN_FULL)
