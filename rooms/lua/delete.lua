-- delete: end a room, tell those who read it, and leave a mark so that the index can be put right.
-- KEYS 1 the room's tag
-- ARGV 1 the caller's account id  2 '1' for an admin  3 the caller's name as JSON
-- Reply  {1, the key of the name it had, {account id, …} of its members, {notices, as `with_notices` gives them}};
--        {0, the key, {}, {}} when it was deleted before; refuses a room the caller can't see or does not own
-- Atomic: from here on there is no room. May be repeated. The event of the deletion is all that is left of its log, for
-- an hour: a process that was cut off from the store while it was announced finds it there.
local LAST_WORDS = 3600

local function delete(keys, args)
  local tag = keys[1]
  local gone = redis.call('GET', tag .. ':gone')
  if gone then return {0, gone, {}, {}} end
  local room = admit(tag, args[1], args[2])
  if not room then return refuse('room_not_found') end
  if room.owner ~= args[1] and args[2] ~= '1' then return refuse('not_the_owner') end
  local id = string.match(tag, ':(.*)}')
  append(tag, topic_json(tag), 'room_deleted', '', '"roomId":"' .. id .. '","by":' .. args[3])
  local reply = {1, room.key, redis.call('HKEYS', tag .. ':members'), with_notices(tag, {})}
  for _, part in ipairs{'room', 'members', 'joined', 'signers', 'redacted', 'messages', 'edits', 'notices'} do
    redis.call('UNLINK', tag .. ':' .. part)
  end
  redis.call('XTRIM', tag .. ':log', 'MAXLEN', 1)
  redis.call('EXPIRE', tag .. ':log', LAST_WORDS)
  redis.call('EXPIRE', tag .. ':head', LAST_WORDS)
  redis.call('SET', tag .. ':gone', room.key, 'EX', MONTH)
  return reply
end
register('delete', delete)
