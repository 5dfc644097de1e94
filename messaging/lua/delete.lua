-- delete: take a message of a room away, text and edits, and tell those who read it.
-- KEYS 1 the room's tag
-- ARGV 1 the caller's account id  2 '1' for an admin  3 the message's id  4 the caller's name as JSON
-- Reply  1; refuses a room the caller can't see, a message that is not there, and callers who are neither its sender,
--        the room's owner nor an admin
-- Atomic: the change and its event. What stands in its place for those who catch up has its offset and no text.
local function redact(tag, offset)
  local fields = redis.call('XRANGE', tag .. ':log', offset .. '-0', offset .. '-0')[1][2]
  local head, _, tail = split_text(fields[6])
  redis.call('HSET', tag .. ':redacted', offset, fields[2] .. ' ' .. fields[4] .. ' ' .. head .. '""' .. tail)
  redis.call('XDEL', tag .. ':log', offset .. '-0')
end

local function delete(keys, args)
  local tag, user, id = keys[1], args[1], args[3]
  local room = admit(tag, user, args[2])
  if not room then return refuse('room_not_found') end
  local kind, by = read_message(tag, id)
  if not kind then return refuse('message_not_found') end
  if by ~= user and room.owner ~= user and args[2] ~= '1' then return refuse('not_the_sender') end
  redact(tag, id)
  for offset in string.gmatch(redis.call('HGET', tag .. ':edits', id .. ':events') or '', '%d+') do
    redact(tag, offset)
  end
  redis.call('XDEL', tag .. ':messages', id .. '-0')
  redis.call('HDEL', tag .. ':edits', id, id .. ':events')
  local gone = '{"id":' .. id .. ',"roomId":"' .. string.match(tag, ':(.*)}') .. '"}'
  append(tag, topic_json(tag), 'message_deleted', '', '"message":' .. gone .. ',"by":' .. args[4])
  return 1
end
register('delete', delete)
