-- Notices: what is still to be said in the logs of the users whom a change of members concerned. They lie in other
-- slots, so a notice waits here until it is known to be there. Shared by the functions that make them.
--   {room:12}:notices  hash: offset of the change -> account id, type of event, account id of who did it

-- A room's place in a list by creation: its id, 0 for the lobby.
local function place_of(room)
  return room == 'lobby' and 0 or room
end

local function note(tag, offset, user, kind, by)
  redis.call('HSET', tag .. ':notices', offset, user .. ' ' .. kind .. ' ' .. by)
end

-- Adds to a reply what is to be said, oldest first, if there is anything: the room as JSON, the epoch of its log, and
-- for each notice offset, account id, his name as JSON (`null` once the account is gone), type, name of who did it.
local function with_notices(tag, reply)
  local flat, notices = redis.call('HGETALL', tag .. ':notices'), {}
  if #flat == 0 then return reply end
  for i = 1, #flat, 2 do notices[#notices + 1] = {tonumber(flat[i]), flat[i + 1]} end
  table.sort(notices, function(a, b) return a[1] < b[1] end)
  reply[#reply + 1] = room_json(tag, read_room(tag))
  reply[#reply + 1] = redis.call('HGET', tag .. ':head', 'epoch')
  for _, notice in ipairs(notices) do
    local user, kind, by = string.match(notice[2], '^(%d+) (%S+) (%d+)$')
    local row = {notice[1], user, signature(tag, user), kind, signature(tag, by)}
    for _, value in ipairs(row) do reply[#reply + 1] = value end
  end
  return reply
end
