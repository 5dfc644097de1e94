-- note_block: the second step of a block, or of its end, at the other end. From here on messages are refused, or taken.
-- KEYS 1 the tag of who is blocked
-- ARGV 1 the account id of the blocker  2 the number of the block, or that of its end with a minus
-- Reply  {1, what waits for the blocker, as `portion` gives it}; {0} if the account was deleted
-- Atomic: what was taken before is in the outbox, and nothing that comes later is. May be repeated. Runs when memory is
-- full.
local function note_block(keys, args)
  local tag, blocker, number = keys[1], args[1], args[2]
  if is_gone(tag) then return {0} end
  local known = redis.call('HGET', tag .. ':blocked_by', blocker) or 0
  if math.abs(number) > math.abs(known) then redis.call('HSET', tag .. ':blocked_by', blocker, number) end
  return {1, unpack(portion(tag, blocker))}
end
register('note_block', note_block, WHEN_FULL)
