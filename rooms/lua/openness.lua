-- openness: whom a room is for.
-- KEYS 1 the room's tag
-- Reply  'open', 'members_only', '' for a room that is gone
-- Reads only.
local function openness(keys)
  local room = read_room(keys[1])
  return room and (room.members_only == '1' and 'members_only' or 'open') or ''
end
register('openness', openness, READ_ONLY)
