-- names: the names of accounts that a room knows.
-- KEYS 1 the room's tag
-- ARGV 1 … account ids
-- Reply  {name as JSON, …}; `null` for an account that is gone
-- Reads only.
local function names(keys, args)
  local reply = {}
  for i, user in ipairs(args) do reply[i] = signature(keys[1], user) end
  return reply
end
register('names', names, READ_ONLY)
