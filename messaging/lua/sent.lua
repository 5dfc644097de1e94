-- sent: messages that a user sent to a room, as they are now, of what the log has.
-- KEYS 1 the room's tag
-- ARGV 1 the user's account id  2 after which id  3 how many bytes at most, of which the last message may be over
-- Reply  {the offset up to which the log was let go of: what begins before that is in the archive, and there are no
--        messages here; after which id to go on, '' at the end; the messages as JSON …}; none for a room that is gone
-- Reads only. Whether the user may read the room now does not matter.
local AT_A_TIME = 200

local function sent(keys, args)
  local tag, user, after, most = keys[1], args[1], tonumber(args[2]), tonumber(args[3])
  if not read_room(tag) then return {0, ''} end
  local let_go = let_go_of(tag)
  if after < let_go then return {let_go, ''} end
  local reply, size, looked = {let_go, ''}, 0, 0
  while looked < LOOKED_AT and size < most do
    local entries = redis.call('XRANGE', tag .. ':log', '(' .. after .. '-0', '+', 'COUNT', AT_A_TIME)
    for _, entry in ipairs(entries) do
      local offset, fields = offset_of(entry[1]), entry[2]
      if fields[2] == 'message' and fields[4] == user then
        local message = message_json(tag, offset, user, fields[6])
        reply[#reply + 1], size = message, size + #message
      end
      after = offset
      if size >= most then break end
    end
    if size < most and #entries < AT_A_TIME then return reply end
    looked = looked + #entries
  end
  reply[2] = after
  return reply
end
register_on_log('sent', sent, READ_ONLY)
