-- The outbox of a user: what is in their log and not yet known to be in the log of the user it concerns, which lies in
-- another slot. Shared by the functions of this library; nothing here is callable by itself.
--   {user:5}:owed              set of the account ids of those for whom something waits
--   {user:5}:outbox:<account>  stream: an entry for each thing that waits for that user, its id the offset in this log;
--                              fields: type of event, the id of the message concerned in this log, its body

local PORTION = 50
local OTHERS = 4

local function owe(tag, recipient, offset, kind, id, body)
  redis.call('SADD', tag .. ':owed', recipient)
  redis.call('XADD', tag .. ':outbox:' .. recipient, offset .. '-0', kind, id, 'body', body)
end

-- What waits for a recipient, oldest first and so much of it as is delivered at once: for each offset, type, id, body.
local function portion(tag, recipient)
  local flat = {}
  for _, entry in ipairs(redis.call('XRANGE', tag .. ':outbox:' .. recipient, '-', '+', 'COUNT', PORTION)) do
    for _, value in ipairs{offset_of(entry[1]), entry[2][1], entry[2][2], entry[2][4]} do flat[#flat + 1] = value end
  end
  return flat
end

-- What waits for some of those but `recipient` for whom something does: account id, portion, …; for others each time, so
-- that some who can't be reached do not keep the rest from having it.
local function others(tag, recipient)
  local reply = {}
  for _, other in ipairs(redis.call('SRANDMEMBER', tag .. ':owed', OTHERS)) do
    if other ~= recipient then
      reply[#reply + 1] = other
      reply[#reply + 1] = portion(tag, other)
    end
  end
  return reply
end

-- A user's topic as JSON, of their name as JSON.
local function topic_of_user(name)
  return '"user:' .. string.sub(name, 2)
end

local function is_gone(tag)
  return redis.call('EXISTS', tag .. ':gone') == 1
end

-- Tells those who read a user's topic that a direct message is gone; `gone` is what is told of it, as a body.
local function say_deleted(tag, topic, id, by, gone)
  return append(tag, topic, 'message_deleted', by, '"message":' .. string.gsub(gone, '%z', id) .. ',"by":\1')
end
