-- standing: whether somebody is in a room.
-- KEYS 1 the room's tag
-- ARGV 1 his account id
-- Reply  1 or 0
-- Reads only.
local function standing(keys, args)
  return is_member(keys[1], args[1]) and 1 or 0
end
register('standing', standing, READ_ONLY)
