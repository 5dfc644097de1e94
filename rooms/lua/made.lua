-- made: the room that an earlier attempt at a creation made under an id, if it did.
-- KEYS 1 the room's tag
-- ARGV 1 the token of the creation
-- Reply  {the room as JSON, notices as `with_notices` gives them}; {} if there is none, or it is of another creation
-- Reads only.
local function made(keys, args)
  local tag, token = keys[1], args[1]
  local room = read_room(tag)
  if not room or room.token ~= token then return {} end
  return with_notices(tag, {room_json(tag, room)})
end
register('made', made, READ_ONLY)
