-- Where a user has read up to, and what is unread. Shared by the functions of this library; nothing here is callable by
-- itself.
--   {user:5}:read  hash: room:<id> or with:<account id> -> the offset up to which the user has read, in the room's log
--                  or, of what was said between the two, in their own

local function is_hidden(tag, user, is_admin)
  return string.sub(tag, 1, 6) == '{room:' and not admit(tag, user, is_admin)
end

-- The last message of an index as its id and JSON; 0 and '' if there is none.
local function last_message(tag, index)
  local entry = redis.call('XREVRANGE', tag .. ':' .. index, '+', '-', 'COUNT', 1)[1]
  if not entry then return 0, '' end
  local id = offset_of(entry[1])
  return id, message_json(tag, id, read_message(tag, id))
end

local MOST_UNREAD = 100 -- stands for more
local UNREAD_AT_ONCE = 100
local MOST_LOOKED_AT = 500

-- Counts the messages of an index that others than `user` sent after one id and before another, the newest first.
-- Deleted ones are in no index. Returns the number, and before which id to go on where many are the user's own ('' when
-- all are counted).
local function count_unread(tag, index, user, after, before)
  local number, newest = 0, before == '' and '+' or '(' .. before .. '-0'
  local oldest = string.format('(%.0f-0', after)
  for _ = 1, MOST_LOOKED_AT / UNREAD_AT_ONCE do
    local found = redis.call('XREVRANGE', tag .. ':' .. index, newest, oldest, 'COUNT', UNREAD_AT_ONCE)
    for _, entry in ipairs(found) do
      local id = offset_of(entry[1])
      if read_message(tag, id) ~= user then number = number + 1 end
      if number == MOST_UNREAD then return number, '' end
      newest = '(' .. entry[1]
    end
    if #found < UNREAD_AT_ONCE then return number, '' end
  end
  return number, string.match(newest, '%d+')
end
