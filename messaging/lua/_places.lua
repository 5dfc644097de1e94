-- Where a user has read up to. Shared by the functions of this library; nothing here is callable by itself.
--   {user:5}:read  hash: room:<id> or with:<account id> -> the offset up to which he has read, in the room's log or, of
--                  what was said between the two, in his own

-- The last message of an index as its id and JSON; 0 and '' if there is none.
local function last_message(tag, index)
  local entry = redis.call('XREVRANGE', tag .. ':' .. index, '+', '-', 'COUNT', 1)[1]
  if not entry then return 0, '' end
  local id = offset_of(entry[1])
  local _, by, body = read_message(tag, id)
  return id, message_json(tag, id, by, body)
end
