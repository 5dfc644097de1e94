-- take_in: messages that were said on another server, of a file that is read in portions.
-- KEYS 1 the room's tag
-- ARGV 1 a hash of the file  2 the line up to which it was taken in before, -1 to ask  3 the line up to which it is now
--      4 … for each message: its signer's account id, '' for nobody; their name as JSON; its body
-- Reply  the line up to which the file is taken in; -1 if the room takes in another one; refuses a room that is gone
-- Atomic: all of a portion or none. May be repeated: a portion that is there already changes nothing.
--   {room:12}:import  hash: file, a hash of the file, and line, up to which it is taken in; expires after 30 days
local function take_in(keys, args)
  local tag, file, before, upto = keys[1], unpack(args, 1, 3)
  if not read_room(tag) then return refuse('room_not_found') end
  local known = redis.call('HMGET', tag .. ':import', 'file', 'line')
  if known[1] and known[1] ~= file then return -1 end
  local line = known[2] or '0'
  if line ~= before then return tonumber(line) end
  for i = 4, #args, 3 do
    local user, name, body = args[i], args[i + 1], args[i + 2]
    if user ~= '' then may_sign(tag, user, name) end
    append(tag, topic_json(tag), 'message', user, FIELD .. body)
  end
  redis.call('HSET', tag .. ':import', 'file', file, 'line', upto)
  redis.call('EXPIRE', tag .. ':import', MONTH)
  return tonumber(upto)
end
register_on_log('take_in', take_in)
