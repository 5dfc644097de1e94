-- Presence: who is there, by how many instances of the server have them. Shared by the functions here; nothing of this
-- is callable by itself.
--   {online}:users  hash: account id -> how many instances have the user
--   {online}:names  hash: account id -> their name as JSON
--   {online}:since  sorted set: account id -> when they came, in ms by the store's clock
--   {online}:beats  sorted set: an instance -> when it last said that it lives, in ms by the store's clock
--   {online}:at:<instance>  set: account ids of those it has
-- A user joins with the first instance that has them and leaves with the last. A user who is in no instance's set is in
-- none of the hashes either, since all of them change together.

local KEPT = 10000

local function now_ms()
  local now = redis.call('TIME')
  return now[1] * 1000 + math.floor(now[2] / 1000)
end

-- Says in the topic's log that some came or went, all in one event. The log keeps its last events only: who was away
-- for longer asks who is there.
local function announce(tag, topic, kind, names)
  if #names == 0 then return end
  local body = #names == 1 and '"username":' .. names[1] or '"usernames":[' .. table.concat(names, ',') .. ']'
  local offset = append(tag, topic, kind, '', body)
  redis.call('XTRIM', tag .. ':log', 'MINID', '~', math.max(offset - KEPT, 0) .. '-0')
end

-- Counts one instance less for a user. Returns their name if it was the last.
local function let_go(tag, user)
  if redis.call('HINCRBY', tag .. ':users', user, -1) > 0 then return nil end
  local name = redis.call('HGET', tag .. ':names', user)
  redis.call('HDEL', tag .. ':users', user)
  redis.call('HDEL', tag .. ':names', user)
  redis.call('ZREM', tag .. ':since', user)
  return name
end
