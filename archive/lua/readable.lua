-- readable: which of some logs a caller may read, and how far the archive has each.
-- KEYS 1 … tags of rooms, or of the caller themselves; on a cluster, of one slot
-- ARGV 1 the caller's account id  2 '1' for an admin
-- Reply  {for each log the offset up to which the archive is known to have it, and that of its last event; -1 and 0 for one
--        that is gone or not the caller's to read, …}
-- Reads only, at one moment.
local function readable(tags, args)
  local user, is_admin, reply = args[1], args[2], {}
  for _, tag in ipairs(tags) do
    local is_room = string.sub(tag, 1, 6) == '{room:'
    if is_room and admit(tag, user, is_admin) or not is_room and redis.call('EXISTS', tag .. ':gone') == 0 then
      local head = redis.call('HMGET', tag .. ':head', 'archived', 'offset')
      reply[#reply + 1] = tonumber(head[1] or 0)
      reply[#reply + 1] = tonumber(head[2] or 0)
    else
      reply[#reply + 1] = -1
      reply[#reply + 1] = 0
    end
  end
  return reply
end
register('readable', readable, READ_ONLY)
