-- marks: how far a user has read.
-- KEYS 1 the user's tag
-- ARGV 1 … what he reads: room:<id> or with:<account id>
-- Reply  {offset, …}; 0 where he has read nothing
-- Reads only.
local function marks(keys, args)
  local reply = {}
  for i, place in ipairs(args) do reply[i] = tonumber(redis.call('HGET', keys[1] .. ':read', place) or 0) end
  return reply
end
register('marks', marks, READ_ONLY)
