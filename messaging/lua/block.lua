-- block: the first step of a block, at the end of the user who blocks.
-- KEYS 1 their tag
-- ARGV 1 the account id of who is blocked  2 the time  3 how many one may block
-- Reply  {the number of the block, when it began}; refuses an account that was deleted, and one that blocks as many
-- May be repeated: a block that is there stays as it is. Runs when memory is full: a block is small, and they are few.
local function block(keys, args)
  local tag, other, time, most = keys[1], unpack(args, 1, 3)
  if is_gone(tag) then return refuse('account_gone') end
  local blocks = tag .. ':blocks'
  local held = redis.call('HGET', blocks, other)
  if not held then
    if redis.call('HLEN', blocks) > tonumber(most) then return refuse('too_many_blocks') end
    held = next_number(blocks) .. ' ' .. time
    redis.call('HSET', blocks, other, held)
  end
  return {string.match(held, '^(%d+) (.*)$')}
end
register('block', block, WHEN_FULL)
