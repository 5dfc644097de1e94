-- admit: who may see a room. Shared by every function that works on one; not callable by itself.
--   {room:12}:room     hash: name (JSON), key (what the name is compared by), claim (the number of its claim on that),
--                      members_only, owner, created_at, token; while a rename is under way, pending: the key it claims,
--                      and intent: its token; slow_mode: seconds, if there is one; bans, mutes: '1' while there are any,
--                      or were. Of the lobby it has these three alone; retention_days: for how many days messages stay,
--                      `null` for ever; absent where nobody said
--   {room:12}:members  hash: account id -> time of joining
--   {room:12}:joined   hash: account id -> the offset of the event of joining; what came before counts as read
--   {room:12}:bans     hash: account id -> when the ban is over, in ms, 0 for never; the account id of who imposed it;
--                      the time of that; when it is over, as JSON; the reason as JSON: with blanks between
--   {room:12}:mutes    the same of those who may not speak
--   {room:12}:gone     the key of the name that a deleted room had, '' for one that may not be made; expires after 30
--                      days

local MONTH = 30 * 24 * 3600
local LOBBY = '{room:lobby}'

-- The lobby is a room that nobody made and that is always there, open and without an owner; nothing is stored of it but
-- what is said in it, who is a member, and what keeps order there.
local function lobby()
  return {name = '"lobby"', key = 'lobby', members_only = '0', owner = '', created_at = '1970-01-01T00:00:00.000Z'}
end

local function read_room(tag)
  local fields = redis.call('HGETALL', tag .. ':room')
  if #fields == 0 and tag ~= LOBBY then return nil end
  local room = tag == LOBBY and lobby() or {}
  for i = 1, #fields, 2 do room[fields[i]] = fields[i + 1] end
  return room
end

local function is_member(tag, user)
  return redis.call('HEXISTS', tag .. ':members', user) == 1
end

local function milliseconds()
  local now = redis.call('TIME')
  return now[1] * 1000 + math.floor(now[2] / 1000)
end

-- The ban or the mute of a user that is in force, as `:bans` and `:mutes` have it; nil for none, and once it is over.
local function restriction(tag, list, user)
  local entry = redis.call('HGET', tag .. ':' .. list, user)
  if not entry then return nil end
  local ends = tonumber(string.match(entry, '^%d+'))
  return (ends == 0 or ends > milliseconds()) and entry or nil
end

-- A refusal that says until when a ban or a mute is and why, both as JSON.
local function refuse_restricted(code, entry)
  return refuse(code .. ' ' .. string.match(entry, '^%d+ %d+ %S+ (.*)$'))
end

-- The refusal of a user who may not speak at this moment; nil or false for others.
local function refuse_muted(tag, room, user, is_admin)
  local mute = room.mutes and is_admin ~= '1' and restriction(tag, 'mutes', user)
  return mute and refuse_restricted('muted', mute)
end

-- The room; or nil, and the refusal. A members-only room exists for its members, its owner and admins alone. Who owns a
-- room and left it still sees it. Who is banned from an open room is told so.
local function admit(tag, user, is_admin)
  local room = read_room(tag)
  if not room then return nil, refuse('room_not_found') end
  if is_admin == '1' or room.owner == user then return room end
  local ban = room.bans and restriction(tag, 'bans', user)
  if room.members_only == '0' then
    if ban then return nil, refuse_restricted('banned', ban) end
    return room
  end
  if ban or not is_member(tag, user) then return nil, refuse('room_not_found') end
  return room
end

local function topic_json(tag)
  return '"' .. string.sub(tag, 2, -2) .. '"'
end

-- The room; `owner` stands for its owner's name, which is filled in unless given. It tells of a slow mode where there is
-- one.
local function room_json(tag, room, owner)
  local id = string.match(tag, ':(.*)}')
  return '{"roomId":"' .. id .. '","name":' .. room.name
    .. ',"members_only":' .. (room.members_only == '1' and 'true' or 'false')
    .. ',"owner":' .. (owner or signature(tag, room.owner)) .. ',"created_at":"' .. room.created_at .. '"'
    .. (room.slow_mode and ',"slow_mode":' .. room.slow_mode or '')
    .. (room.retention_days and ',"retention_days":' .. room.retention_days or '') .. '}'
end
