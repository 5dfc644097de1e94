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

-- {user:5}:outbox  hash: offset -> recipient's account id, a blank, the body; emptied by `delivered`
local function outbox(tag)
  local waiting, flat = {}, redis.call('HGETALL', tag .. ':outbox')
  for i = 1, #flat, 2 do
    local to, body = string.match(flat[i + 1], '^(%d+) (.*)$')
    waiting[#waiting + 1] = {tonumber(flat[i]), to, body}
  end
  table.sort(waiting, function(a, b) return a[1] < b[1] end)
  return waiting
end

local function flatten(rows)
  local flat = {}
  for _, row in ipairs(rows) do
    for _, value in ipairs(row) do flat[#flat + 1] = value end
  end
  return flat
end
