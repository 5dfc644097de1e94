-- forget_blocks: with whom a user who was deleted has blocks, either way; some of them.
-- KEYS 1 the user's tag
-- ARGV 1 … account ids of those at whose end the blocks are taken out by now
-- Reply  {account id, …}; {} when all is taken out
-- May be repeated. Runs when memory is full.
local BLOCKS_AT_ONCE = 500

local function forget_blocks(keys, done)
  local tag = keys[1]
  redis.call('HDEL', tag .. ':blocks', 'last', unpack(done))
  redis.call('HDEL', tag .. ':blocked_by', '', unpack(done))
  local some = redis.call('HRANDFIELD', tag .. ':blocks', BLOCKS_AT_ONCE)
  return #some > 0 and some or redis.call('HRANDFIELD', tag .. ':blocked_by', BLOCKS_AT_ONCE)
end
register('forget_blocks', forget_blocks, WHEN_FULL)
