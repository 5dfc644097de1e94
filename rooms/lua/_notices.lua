-- Notices: what is still to be said in the logs of the users whom a change of members concerned. They lie in other
-- slots, so a notice waits here until it is known to be there. Shared by the functions that make them.
--   {room:12}:news     sorted set of `<account id> <type of event> <account id of who did it>`, each behind the offset of
--                      the change and a blank; by offset
--   {room:12}:notices  hash: offset of the change -> the same, as a release before this one left it

local NOTICES_AT_ONCE = 100

-- A room's place in a list by creation: its id, 0 for the lobby.
local function place_of(room)
  return room == 'lobby' and 0 or room
end

local function note(tag, offset, user, kind, by)
  redis.call('ZADD', tag .. ':news', offset, offset .. ' ' .. user .. ' ' .. kind .. ' ' .. by)
end

-- What a release before this one left is said first: it came first.
local function waiting_notices(tag)
  local flat, notices = redis.call('HGETALL', tag .. ':notices'), {}
  if #flat == 0 then return redis.call('ZRANGE', tag .. ':news', 0, NOTICES_AT_ONCE - 1) end
  for i = 1, #flat, 2 do notices[#notices + 1] = {tonumber(flat[i]), flat[i] .. ' ' .. flat[i + 1]} end
  table.sort(notices, function(a, b) return a[1] < b[1] end)
  local oldest = {}
  for i = 1, math.min(#notices, NOTICES_AT_ONCE) do oldest[i] = notices[i][2] end
  return oldest
end

-- Adds to a reply what is to be said, oldest first and so much of it as is said at once, if there is anything: the room
-- as JSON, the epoch of its log, and for each notice offset, account id, their name as JSON (`null` once the account is
-- gone), type, name of who did it.
local function with_notices(tag, reply)
  local notices = waiting_notices(tag)
  local room = #notices > 0 and read_room(tag)
  if not room then return reply end
  reply[#reply + 1] = room_json(tag, room)
  reply[#reply + 1] = redis.call('HGET', tag .. ':head', 'epoch')
  for _, notice in ipairs(notices) do
    local offset, user, kind, by = string.match(notice, '^(%d+) (%d+) (%S+) (%d+)$')
    local row = {tonumber(offset), user, signature(tag, user), kind, signature(tag, by)}
    for _, value in ipairs(row) do reply[#reply + 1] = value end
  end
  return reply
end
