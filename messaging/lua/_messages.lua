-- Messages in a log. Shared by the functions of this library; nothing here is callable by itself.
--   {room:12}:edits  hash: offset -> the message that was edited, as its body; <offset>:events -> the offsets of the
--                    events with its texts, each followed by a blank: the newest, and what a release before this one
--                    left
-- A room has one list of messages, `messages`. A user has several: `messages`, what they received, and with:<account
-- id>, what was said between the two. Which lists a message is in follows from its entry in the log. Entries that a
-- release before this one wrote do not say it: for them there are streams, {user:5}:<list>, with an entry for each.

-- Whether the account is known as a signer of this log, which it becomes once its name is given.
local function may_sign(tag, user, name)
  if redis.call('HEXISTS', tag .. ':signers', user) == 1 then return true end
  if name == '' then return false end
  redis.call('HSET', tag .. ':signers', user, name)
  return true
end

local function owner_of(tag)
  return string.match(tag, '^{user:(%d+)}$')
end

-- Whether an entry of the log, with these fields, is a message of a list.
local function is_listed(tag, list, id, fields)
  local kind, by, peer = fields[2], fields[4], fields[8]
  if kind == 'message' then return true end
  if kind ~= 'direct_message' then return false end
  if not peer then return #redis.call('XRANGE', tag .. ':' .. list, id .. '-0', id .. '-0') > 0 end
  if list == 'messages' then return by ~= owner_of(tag) or peer == by end
  return list == 'with:' .. peer
end

local LOOKED_AT = 2000  -- entries of a log that one call looks at, about: others wait meanwhile

-- The first messages of a list between two ids of the log, for each its id and the fields of its entry, up to one more
-- than `most`; and where to go on looking, if they may be more. `backwards` begins with the newest.
local function find_messages(tag, list, oldest, newest, most, backwards)
  local command, from, upto = 'XRANGE', oldest, newest
  if backwards then command, from, upto = 'XREVRANGE', newest, oldest end
  local found, looked = {}, 0
  while true do
    local asked = math.max(most + 1 - #found, 20)
    local entries = redis.call(command, tag .. ':log', from, upto, 'COUNT', asked)
    for _, entry in ipairs(entries) do
      local id = offset_of(entry[1])
      if #found <= most and is_listed(tag, list, id, entry[2]) then found[#found + 1] = {id, entry[2]} end
    end
    if #found > most or #entries < asked then return found, nil end
    looked = looked + asked
    local last = entries[#entries][1]
    if looked >= LOOKED_AT then return found, offset_of(last) end
    from = '(' .. last
  end
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
  local _, by, body, fields = event_at(tag, id)
  if not by or not is_listed(tag, 'with:' .. other, id, fields) then return nil end
  return by, body
end

-- Whether a message may lie in the archive alone, so that it has to be looked for there.
local function is_past(tag, id)
  local let_go = let_go_of(tag)
  return tonumber(id) <= let_go and tonumber(id) > floor_of(tag) and redis.call('HEXISTS', tag .. ':deleted', id) == 0
end

-- What is to be done with a message of which the log was let go comes with its signer and body, as the archive had them
-- when the log stood at `read_at`; -1 says that the archive has none. Returns these; or nil, and where the log stands if
-- the archive must be read, again if such a message was changed meanwhile.
local function from_past(tag, id, by, body, read_at)
  if read_at == '-1' or not is_past(tag, id) then return nil end
  local head = redis.call('HMGET', tag .. ':head', 'offset', 'changed')
  if by == '' or tonumber(head[2] or 0) > tonumber(read_at) then return nil, tonumber(head[1]) end
  return by, FIELD .. body
end

-- Notes that an event told of a change to a message, if the archive alone has that.
local function note_change(tag, id, offset)
  if tonumber(id) <= let_go_of(tag) then redis.call('HSET', tag .. ':head', 'changed', offset) end
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
  note_change(tag, id, offset)
  return offset
end

-- Takes a message away, text and edits, and out of the lists that a release before this one wrote.
local function take_away(tag, id, lists)
  redact(tag, id)
  for offset in string.gmatch(redis.call('HGET', tag .. ':edits', id .. ':events') or '', '%d+') do
    redact(tag, offset)
  end
  for _, list in ipairs(lists) do redis.call('XDEL', tag .. ':' .. list, id .. '-0') end
  redis.call('HDEL', tag .. ':edits', id, id .. ':events')
end

-- Notes, for those who read the archive, that the event at `offset` told of the deletion of a message.
local function note_deletion(tag, id, offset)
  redis.call('HSET', tag .. ':deleted', id, offset)
  note_change(tag, id, offset)
end

-- Whether the archive may have a message, so that it must go from there too.
local function is_archived(tag, id)
  return tonumber(id) <= tonumber(redis.call('HGET', tag .. ':head', 'archived') or 0) and 1 or 0
end

-- Retry keys of messages, each for a day:
--   {room:12}:r:<10 bytes>  which account and retry key it was: the beginning of a hash. A text: 8 bytes of the hash of the
--                           request, 9 with the time at which the message was sent, a digit in each half, then its offset
-- The request and these give the first answer again, byte for byte, whatever became of the message. A release before
-- this one kept whole answers, as the prelude does.

-- The bytes that hexadecimal digits stand for.
local function packed(digits)
  return (string.gsub(digits, '..', function(two) return string.char(tonumber(two, 16)) end))
end

local function retry_record(tag, user, retry_key)
  return tag .. ':r:' .. packed(string.sub(redis.sha1hex(user .. ' ' .. retry_key), 1, 20))
end

local SENT_AT = '^,"sent_at":"([^"]*)"(.*)$'

local function packed_time(time)
  return packed('0' .. string.gsub(time, '%D', ''))
end

local function time_of(bytes)
  local digits = string.gsub(bytes, '.', function(byte) return string.format('%02x', string.byte(byte)) end)
  return (string.gsub(digits, '^0(%d%d%d%d)(%d%d)(%d%d)(%d%d)(%d%d)(%d%d)(%d%d%d)$', '%1-%2-%3T%4:%5:%6.%7Z'))
end

-- The answer to an earlier request with this retry key, as `recall_answer` gives it. `body` is that of the message which
-- is asked for now.
local function recall_message(tag, user, retry_key, request, body)
  local known = retry_key ~= '' and redis.call('GET', retry_record(tag, user, retry_key))
  if not known then return recall_answer(tag, user, retry_key, request) end
  if string.sub(known, 1, 8) ~= packed(string.sub(request, 1, 16)) then return refuse('retry_key_reused') end
  local head, text, tail = split_text(body)
  local _, rest = string.match(tail, SENT_AT)
  local first = head .. text .. ',"sent_at":"' .. time_of(string.sub(known, 9, 17)) .. '"' .. rest
  return fill(first, string.sub(known, 18), signature(tag, user))
end

local function remember_message(tag, user, retry_key, request, lifetime, body, offset)
  if retry_key == '' then return end
  local _, _, tail = split_text(body)
  local value = packed(string.sub(request, 1, 16)) .. packed_time((string.match(tail, SENT_AT))) .. offset
  redis.call('SET', retry_record(tag, user, retry_key), value, 'EX', lifetime)
end
