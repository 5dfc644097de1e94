-- Where a user has read up to, and what is unread. Shared by the functions of this library; nothing here is callable by
-- itself.
--   {user:5}:read  hash: room:<id> or with:<account id> -> the offset up to which the user has read, in the room's log
--                  or, of what was said between the two, in their own

-- The refusal for a room that its caller can't see; nil for one that they can, and for a user's log.
local function refusal_of(tag, user, is_admin)
  if string.sub(tag, 1, 6) ~= '{room:' then return nil end
  local room, refusal = admit(tag, user, is_admin)
  return not room and refusal or nil
end

-- The last message of a list as its id and JSON; 0 and '' if the log has none. Then the id before which others are that
-- were not looked at, 1 if there are none, and 1 if they are all in the archive.
local function last_message(tag, list)
  local found, place = find_messages(tag, list, '-', '+', 0, true)
  if #found == 0 then return 0, '', place or let_go_of(tag) + 1, place and 0 or 1 end
  local id, fields = unpack(found[1])
  return id, message_json(tag, id, fields[4], fields[6]), 1, 1
end

local MOST_UNREAD = 100 -- stands for more
local PORTIONS = 5

-- Counts the messages of a list that others than `user` sent after one id and before another, the newest first, of what
-- the log has. Returns the number, and before which id to go on where many are the user's own ('' when all are counted).
local function count_unread(tag, list, user, after, before)
  local number, newest = 0, before == '' and '+' or '(' .. before .. '-0'
  local oldest = string.format('(%.0f-0', after)
  for _ = 1, PORTIONS do
    local found, place = find_messages(tag, list, oldest, newest, MOST_UNREAD, true)
    for _, message in ipairs(found) do
      if message[2][4] ~= user then number = number + 1 end
      if number == MOST_UNREAD then return number, '' end
    end
    if #found > MOST_UNREAD then place = found[#found][1] end
    if not place then return number, '' end
    newest = string.format('(%.0f-0', place)
  end
  return number, string.match(newest, '%d+')
end
