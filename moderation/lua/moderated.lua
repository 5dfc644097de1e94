-- moderated: in which of some rooms a user sees reports.
-- KEYS 1 … the rooms' tags; on a cluster, of one slot
-- ARGV 1 the caller's account id
-- Reply  {1 or 0 for each}
-- Reads only.
local function moderated(tags, args)
  local reply = {}
  for i, tag in ipairs(tags) do
    local room = admit(tag, args[1], '0')
    reply[i] = room and not why_not(tag, room, args[1], '0', 'read_reports') and 1 or 0
  end
  return reply
end
register('moderated', moderated, READ_ONLY)
