-- unblock: the first step of the end of a block, at the end of the user who blocked.
-- KEYS 1 their tag
-- ARGV 1 the account id of who was blocked
-- Reply  the number of the end, with a minus; refuses an account that was deleted
-- May be repeated, also if there is no block. Runs when memory is full.
local function unblock(keys, args)
  local tag, other = keys[1], args[1]
  if is_gone(tag) then return refuse('account_gone') end
  redis.call('HDEL', tag .. ':blocks', other)
  return '-' .. next_number(tag .. ':blocks')
end
register('unblock', unblock, WHEN_FULL)
