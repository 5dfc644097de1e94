-- names: a portion of the names that are claimed, in no order.
-- KEYS 1 the index's tag
-- ARGV 1 where to go on, '0' to begin  2 about how many
-- Reply  {the number of the last claim, where to go on, '0' at the end; the keys of names …}
-- Reads only. A name that is claimed from beginning to end comes at least once.
local function names(keys, args)
  local index, cursor, portion = keys[1], args[1], args[2]
  local found = redis.call('HSCAN', index .. ':names', cursor, 'COUNT', portion)
  local reply = {redis.call('GET', index .. ':claims') or '0', found[1]}
  for i = 1, #found[2], 2 do reply[#reply + 1] = found[2][i] end
  return reply
end
register('names', names, READ_ONLY)
