-- admit: who may see a room. Shared by every function that works on one; not callable by itself.
--   {room:12}:room     hash: name (JSON), key (what the name is compared by), claim (the number of its claim on that),
--                      members_only, owner, created_at, token; while a rename is under way, pending: the key it claims,
--                      and intent: its token
--   {room:12}:members  hash: account id -> time of joining
--   {room:12}:joined   hash: account id -> the offset of the event of joining; what came before counts as read
--   {room:12}:gone     the key of the name that a deleted room had, '' for one that may not be made; expires after 30
--                      days

local MONTH = 30 * 24 * 3600
local LOBBY = '{room:lobby}'

-- The lobby is a room that nobody made and that is always there, open and without an owner; nothing is stored of it but
-- what is said in it and who is a member.
local function lobby()
  return {name = '"lobby"', key = 'lobby', members_only = '0', owner = '', created_at = '1970-01-01T00:00:00.000Z'}
end

local function read_room(tag)
  if tag == LOBBY then return lobby() end
  local fields = redis.call('HGETALL', tag .. ':room')
  if #fields == 0 then return nil end
  local room = {}
  for i = 1, #fields, 2 do room[fields[i]] = fields[i + 1] end
  return room
end

local function is_member(tag, user)
  return redis.call('HEXISTS', tag .. ':members', user) == 1
end

-- The room, or nil for those who may not know of it: a members-only room exists for its members, its owner and admins
-- alone. Who owns a room and left it still sees it.
local function admit(tag, user, is_admin)
  local room = read_room(tag)
  if not room then return nil end
  if room.members_only == '0' or is_admin == '1' or room.owner == user or is_member(tag, user) then return room end
  return nil
end

local function topic_json(tag)
  return '"' .. string.sub(tag, 2, -2) .. '"'
end

-- The room; `owner` stands for its owner's name, which is filled in unless given.
local function room_json(tag, room, owner)
  local id = string.match(tag, ':(.*)}')
  return '{"roomId":"' .. id .. '","name":' .. room.name
    .. ',"members_only":' .. (room.members_only == '1' and 'true' or 'false')
    .. ',"owner":' .. (owner or signature(tag, room.owner)) .. ',"created_at":"' .. room.created_at .. '"}'
end
