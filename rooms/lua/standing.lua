-- standing: which of some users are in a room.
-- KEYS 1 the room's tag
-- ARGV 1 … account ids
-- Reply  {1 or 0 for each}
-- Reads only.
local function standing(keys, users)
  local reply = {}
  for i, user in ipairs(users) do reply[i] = is_member(keys[1], user) and 1 or 0 end
  return reply
end
register('standing', standing, READ_ONLY)
