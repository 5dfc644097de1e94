-- Messages in a log. Shared by the functions of this library; nothing here is callable by itself.
--   {room:12}:messages  stream: an entry for each message, its id <offset>-0, in the order of the log
--   {room:12}:edits     hash: offset -> the message that was edited, as its body; <offset>:events -> where the log tells
--                       of its edits
-- A user's log has such an index for each list that can be read: {user:5}:messages for what he received, and
-- {user:5}:with:<account id> for what was said between the two.

-- Whether the account is known as a signer of this log, which it becomes once its name is given.
local function may_sign(tag, user, name)
  if redis.call('HEXISTS', tag .. ':signers', user) == 1 then return true end
  if name == '' then return false end
  redis.call('HSET', tag .. ':signers', user, name)
  return true
end

-- A message's type, signer and body as they are in the log; nil where there is none (never was, or deleted).
local function read_message(tag, id)
  local entry = redis.call('XRANGE', tag .. ':log', id .. '-0', id .. '-0')[1]
  if not entry or not (entry[2][2] == 'message' or entry[2][2] == 'direct_message') then return nil end
  return entry[2][2], entry[2][4], entry[2][6]
end

-- Signer and body of a message in what was said between a user and another one; nil where it is not there.
local function read_said(tag, other, id)
  if #redis.call('XRANGE', tag .. ':with:' .. other, id .. '-0', id .. '-0') == 0 then return nil end
  local _, by, body = read_message(tag, id)
  return by, body
end

local FIELD = #'"message":' + 1

-- The message as JSON, as it is now.
local function message_json(tag, id, by, body)
  local edited = redis.call('HGET', tag .. ':edits', id)
  return fill(edited or string.sub(body, FIELD), id, signature(tag, by))
end

-- A body as what comes before its text, the text as JSON, and what comes after. No JSON string holds the bytes that
-- are looked for: a quotation mark inside one has a backslash before it.
local function split_text(body)
  local _, from = string.find(body, '"text":', 1, true)
  local upto = string.find(body, ',"sent_at":', from, true)
  return string.sub(body, 1, from), string.sub(body, from + 1, upto - 1), string.sub(body, upto)
end

-- A message with another text, as its body, and whether that is another than it has.
local function with_text(tag, id, body, text, time)
  local current = redis.call('HGET', tag .. ':edits', id) or string.sub(body, FIELD)
  local head, before, tail = split_text(current)
  if text == before then return current, false end
  return head .. text .. (string.gsub(tail, '"edited_at":.*$', '"edited_at":"' .. time .. '"}')), true
end

-- Gives a message the text that `current`, its body, has, and tells those who read the topic. Returns the offset of that.
local function change(tag, topic, id, by, current)
  redis.call('HSET', tag .. ':edits', id, current)
  local offset = append(tag, topic, 'message_edited', by, '"message":' .. string.gsub(current, '%z', id))
  local events = redis.call('HGET', tag .. ':edits', id .. ':events') or ''
  redis.call('HSET', tag .. ':edits', id .. ':events', events .. offset .. ' ')
  return offset
end

-- Takes the text out of the log at an offset. What stands in its place, for those who catch up, has no text.
local function redact(tag, offset)
  local fields = redis.call('XRANGE', tag .. ':log', offset .. '-0', offset .. '-0')[1][2]
  local head, _, tail = split_text(fields[6])
  redis.call('HSET', tag .. ':redacted', offset, fields[2] .. ' ' .. fields[4] .. ' ' .. head .. '""' .. tail)
  redis.call('XDEL', tag .. ':log', offset .. '-0')
end

-- Takes a message away, text and edits, and out of the indexes named.
local function take_away(tag, id, indexes)
  redact(tag, id)
  for offset in string.gmatch(redis.call('HGET', tag .. ':edits', id .. ':events') or '', '%d+') do
    redact(tag, offset)
  end
  for _, index in ipairs(indexes) do redis.call('XDEL', tag .. ':' .. index, id .. '-0') end
  redis.call('HDEL', tag .. ':edits', id, id .. ':events')
end
