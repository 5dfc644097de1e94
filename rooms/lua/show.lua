-- show: rooms as their caller may see them.
-- KEYS 1 … the rooms' tags; on a cluster, of one slot
-- ARGV 1 the caller's account id  2 '1' for an admin  3 '1' to show them to members alone
-- Reply  {each room as JSON, '' if there is none for this caller}
-- Reads only.
local function show(tags, args)
  local user, is_admin, members_alone = unpack(args, 1, 3)
  local reply = {}
  for i, tag in ipairs(tags) do
    local room = admit(tag, user, is_admin)
    local is_shown = room and (members_alone ~= '1' or is_member(tag, user))
    reply[i] = is_shown and room_json(tag, room) or ''
  end
  return reply
end
register('show', show, READ_ONLY)
