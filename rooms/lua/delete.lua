-- delete: end a room, tell those who read it, and leave a mark so that the index can be put right.
-- KEYS 1 the room's tag
-- ARGV 1 the caller's account id  2 '1' for an admin  3 the caller's name as JSON
-- Reply  {1, the key of the name it had, account id, …} with the ids of its members; {0, the key} when it was deleted
--        before; refuses a room the caller can't see or does not own
-- Atomic: from here on there is no room. May be repeated.
local function delete(keys, args)
  local tag = keys[1]
  local gone = redis.call('GET', tag .. ':gone')
  if gone then return {0, gone} end
  local room = admit(tag, args[1], args[2])
  if not room then return refuse('room_not_found') end
  if room.owner ~= args[1] and args[2] ~= '1' then return refuse('not_the_owner') end
  local id = string.match(tag, ':(.*)}')
  append(tag, topic_json(tag), 'room_deleted', '', '"roomId":"' .. id .. '","by":' .. args[3])
  local reply = redis.call('HKEYS', tag .. ':members')
  table.insert(reply, 1, room.key)
  table.insert(reply, 1, 1)
  for _, part in ipairs{'room', 'members', 'head', 'log', 'signers', 'redacted', 'messages', 'edits', 'notices'} do
    redis.call('UNLINK', tag .. ':' .. part)
  end
  redis.call('SET', tag .. ':gone', room.key, 'EX', MONTH)
  return reply
end
register('delete', delete)
