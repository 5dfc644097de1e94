-- marks: how far a user has read.
-- KEYS 1 the user's tag
-- ARGV 1 … what they read: room:<id> or with:<account id>
-- Reply  {offset, …}; 0 where they have read nothing
-- Reads only.
local function marks(keys, places)
  local reply = values_of(keys[1] .. ':read', places)
  for i, offset in ipairs(reply) do reply[i] = tonumber(offset or 0) end
  return reply
end
register('marks', marks, READ_ONLY)
