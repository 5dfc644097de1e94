-- show: a room as its caller may see it.
-- KEYS 1 the room's tag
-- ARGV 1 the caller's account id  2 '1' for an admin  3 '1' to show it to members alone
-- Reply  the room as JSON, '' if there is none for this caller
local function show(keys, args)
  local tag = keys[1]
  local room = admit(tag, args[1], args[2])
  if not room or (args[3] == '1' and not is_member(tag, args[1])) then return '' end
  return room_json(tag, room)
end
register('show', show, READ_ONLY)
