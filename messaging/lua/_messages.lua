-- Messages in a log. Shared by the functions of this library; nothing here is callable by itself.
--   {room:12}:messages    stream: an entry for each message, its id <offset>-0, in the order of the log
--   {room:12}:edits       hash: offset -> the message that was edited, as its body; <offset>:events -> the offsets of
--                         the events with its texts, each followed by a blank: the newest, and what a release before
--                         this one left
--   {room:12}:superseded  hash: offset of an edit -> offset of the message, where a later edit stands for it now
-- A user's log has such an index for each list that can be read: {user:5}:messages for what they received, and
-- {user:5}:with:<account id> for what was said between the two.

-- Whether the account is known as a signer of this log, which it becomes once its name is given.
local function may_sign(tag, user, name)
  if redis.call('HEXISTS', tag .. ':signers', user) == 1 then return true end
  if name == '' then return false end
  redis.call('HSET', tag .. ':signers', user, name)
  return true
end

-- These two alone take bodies apart, as format 1 has them. The body of a message's event is `"message":` and then the
-- message; in `:edits` and in outboxes it is the message. No JSON string holds the bytes that are looked for: a
-- quotation mark inside one has a backslash before it.
local FIELD = '"message":'
local FIRST = #FIELD + 1

local function message_in(body)
  return string.sub(body, FIRST)
end

-- A body as what comes before the message's text, the text as JSON, and what comes after.
local function split_text(body)
  local _, from = string.find(body, '"text":', 1, true)
  local upto = string.find(body, ',"sent_at":', from, true)
  return string.sub(body, 1, from), string.sub(body, from + 1, upto - 1), string.sub(body, upto)
end

-- Signer and body of a message in the log; nil where there is none (never was, or deleted).
local function read_message(tag, id)
  local kind, by, body = event_at(tag, id)
  if kind ~= 'message' and kind ~= 'direct_message' then return nil end
  return by, body
end

-- Signer and body of a message in what was said between a user and another one; nil where it is not there.
local function read_said(tag, other, id)
  if #redis.call('XRANGE', tag .. ':with:' .. other, id .. '-0', id .. '-0') == 0 then return nil end
  return read_message(tag, id)
end

-- The message as JSON, as it is now.
local function message_json(tag, id, by, body)
  local edited = redis.call('HGET', tag .. ':edits', id)
  return fill(edited or message_in(body), id, signature(tag, by))
end

-- A message with another text, as its body, and whether that is another than it has.
local function with_text(tag, id, body, text, time)
  local current = redis.call('HGET', tag .. ':edits', id) or message_in(body)
  local head, before, tail = split_text(current)
  if text == before then return current, false end
  return head .. text .. (string.gsub(tail, '"edited_at":.*$', '"edited_at":"' .. time .. '"}')), true
end

-- Takes the text out of the log at an offset. What stands in its place, for those who catch up, has no text.
local function redact(tag, offset)
  local kind, by, body = event_at(tag, offset)
  if not kind then return end
  local head, _, tail = split_text(body)
  redis.call('HSET', tag .. ':redacted', offset, kind .. ' ' .. by .. ' ' .. head .. '""' .. tail)
  redis.call('XDEL', tag .. ':log', offset .. '-0')
end

local MOST_SUPERSEDED = 100  -- at once: an edit costs the same, however many a release before this one left

-- Gives a message the text that `current`, its body, has, and tells those who read the topic. Returns the offset of that.
-- The log keeps the newest text alone: earlier edits of the message are read as this one from now on.
local function change(tag, topic, id, by, current)
  local edits, told_at = tag .. ':edits', id .. ':events'
  redis.call('HSET', edits, id, current)
  local offset = append(tag, topic, 'message_edited', by, FIELD .. string.gsub(current, '%z', id))
  local left, count = {}, 0
  for earlier in string.gmatch(redis.call('HGET', edits, told_at) or '', '%d+') do
    count = count + 1
    if count <= MOST_SUPERSEDED then
      redact(tag, earlier)
      redis.call('HSET', tag .. ':superseded', earlier, id)
    else
      left[#left + 1] = earlier .. ' '
    end
  end
  redis.call('HSET', edits, told_at, table.concat(left) .. offset .. ' ')
  return offset
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
