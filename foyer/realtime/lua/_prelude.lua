-- What every library of stored functions shares: the log of a topic, and how a function is registered and refuses.
--
-- A topic's keys carry one hash tag, such as {room:12}, which is also its channel and the first key of every call:
--   {room:12}:head        hash: offset of the last event, epoch, format, and on a cluster the node that wrote last;
--                         let_go: the offset up to which the log lies in the archive alone; archived: the one up to
--                         which the archive is known to have it; changed: the offset of the last event that changed a
--                         message of which the log was let go; floor: the offset up to which everything is gone for
--                         good, as it was older than the topic keeps it; never after let_go
--   {room:12}:log         stream: an event an entry, its id <offset>-0; fields type, by, body; of a direct message also
--                         peer, the account id of the other one, and for its recipient origin, its offset in the
--                         sender's log
--   {room:12}:signers     hash: account id -> the name as JSON; `null` once the account is gone
--   {room:12}:redacted    hash: offset -> `type by body`, for an event whose text is no longer in the log
--   {room:12}:superseded  hash: offset -> a name, for an event that is read as a later one of that name from now on;
--                         {room:12}:edits has the later one's offset, under `<name>:events`, if it still has its text
--   {room:12}:deleted     hash: offset of a message that was deleted -> offset of the event that tells of it, as long as
--                         the archive may not know
-- The other keys are made from the tag, so they are always in the slot of the key that was declared.
--
-- A body is the JSON text of an event's own fields, made once by the caller. Bytes that JSON never holds stand for
-- what only this side knows: \0 for the event's offset, \1 for the name of the account that signed it, \2 and \3 around
-- an account id for the name of another signer. So no name is in the log itself, and changing one entry takes it from
-- all events.
--
-- The format says how bodies are stored, 1 where the head does not say it. Functions that put bodies into a log, or
-- take them apart, are registered by `register_on_log`: they refuse a log of a later format before they touch it.
-- Whoever changes how bodies are stored raises FORMAT, and reads the earlier ones too.

local FORMAT = 1

local READ_ONLY = {'no-writes'}     -- runs when memory is full
local WHEN_FULL = {'allow-oom'}     -- the same, for what frees memory, ends somebody's rights, or writes very little

local function refuse(code)
  return redis.error_reply('FOYER ' .. code)
end

local function register(name, callback, flags)
  redis.register_function{function_name = LIBRARY .. '_' .. name, callback = callback, flags = flags or {}}
end

local function register_on_log(name, callback, flags)
  register(name, function(keys, args)
    local format = redis.call('HGET', keys[1] .. ':head', 'format')
    if format and tonumber(format) > FORMAT then return refuse('newer_format') end
    return callback(keys, args)
  end, flags)
end

local VALUES_AT_ONCE = 1000  -- values on Lua's stack, which holds 8000

-- The values of some fields of a hash, however many: `false` where there is none.
local function values_of(key, fields)
  local values = {}
  for first = 1, #fields, VALUES_AT_ONCE do
    local some = redis.call('HMGET', key, unpack(fields, first, math.min(first + VALUES_AT_ONCE - 1, #fields)))
    for i, value in ipairs(some) do values[first + i - 1] = value end
  end
  return values
end

-- The id of this node in a cluster, '' outside one. It stays for the life of the process.
local node_id
local function this_node()
  if not node_id then
    local reply = redis.pcall('CLUSTER', 'MYID')
    node_id = type(reply) == 'string' and reply or ''
  end
  return node_id
end

local ALPHABET = '0123456789abcdefghijklmnopqrstuvwxyz'
local function fresh_epoch()
  local now = redis.call('TIME')
  local number, text = now[1] * 1000000 + now[2], ''
  while number > 0 do
    local digit = number % 36
    text = string.sub(ALPHABET, digit + 1, digit + 1) .. text
    number = (number - digit) / 36
  end
  return text
end

local function begin_log(tag)
  local epoch = fresh_epoch()
  redis.call('HSET', tag .. ':head', 'epoch', epoch, 'node', this_node())
  if FORMAT > 1 then redis.call('HSET', tag .. ':head', 'format', FORMAT) end
  return epoch
end

-- Claims the next offset. A log has one epoch for life, except that another node which takes it over (a replica that
-- was promoted may lack the last events) starts a new one and remembers how far it shares the one before.
local function next_offset(tag)
  local head = tag .. ':head'
  local offset = redis.call('HINCRBY', head, 'offset', 1)
  local known = redis.call('HMGET', head, 'epoch', 'node')
  local epoch, node = known[1], this_node()
  if not epoch then
    epoch = begin_log(tag)
  elseif known[2] ~= node then
    local earlier = epoch
    epoch = fresh_epoch()
    redis.call('HSET', head, 'epoch', epoch, 'node', node, 'earlier', earlier, 'shared', offset - 1)
  end
  return offset, epoch
end

local function signature(tag, by)
  return by ~= '' and redis.call('HGET', tag .. ':signers', by) or 'null'
end

-- Makes an account a signer of this log, if it is none; one that is gone stays so.
local function sign(tag, user, name)
  redis.call('HSETNX', tag .. ':signers', user, name)
end

-- What stands in a body for the name of a signer.
local function name_of(user)
  return '\2' .. user .. '\3'
end

-- A body with the names of those it is about in place.
local function with_names(tag, body)
  if not string.find(body, '\2', 1, true) then return body end
  return (string.gsub(body, '\2(%d+)\3', function(user) return signature(tag, user) end))
end

-- The text of a body with its offset and signature in place.
local function fill(body, offset, signed)
  return (string.gsub(body, '[%z\1]', {['\0'] = tostring(offset), ['\1'] = signed}))
end

-- The event as clients get it. `topic` is its name on the wire, as JSON.
local function compose(topic, offset, kind, signed, body)
  return '{"type":"' .. kind .. '","topic":' .. topic .. ',"offset":' .. offset .. ',' .. fill(body, offset, signed) .. '}'
end

-- What hubs read: offset, epoch and type in a line of its own, then the event.
local function announcement(offset, epoch, kind, event)
  return offset .. ' ' .. epoch .. ' ' .. kind .. '\n' .. event
end

-- Appends an event to the topic's log and announces it; both or neither, as this runs inside one function. More fields
-- of its entry may follow, names and values.
local function append(tag, topic, kind, by, body, ...)
  local offset, epoch = next_offset(tag)
  redis.call('XADD', tag .. ':log', offset .. '-0', 'type', kind, 'by', by, 'body', body, ...)
  local event = compose(topic, offset, kind, signature(tag, by), with_names(tag, body))
  redis.call('SPUBLISH', tag, announcement(offset, epoch, kind, event))
  return offset
end

local function offset_of(id)
  return tonumber(string.match(id, '^%d+'))
end

-- The type, signer and body of the event at an offset, and all its fields; nil where the log has none.
local function event_at(tag, offset)
  local entry = redis.call('XRANGE', tag .. ':log', offset .. '-0', offset .. '-0')[1]
  if not entry then return nil end
  return entry[2][2], entry[2][4], entry[2][6], entry[2]
end

-- The offset up to which the log was let go of: what is at or before it lies in the archive.
local function let_go_of(tag)
  return tonumber(redis.call('HGET', tag .. ':head', 'let_go') or 0)
end

-- The offset up to which everything is gone for good.
local function floor_of(tag)
  return tonumber(redis.call('HGET', tag .. ':head', 'floor') or 0)
end

-- What is read of an event whose text is no longer in the log, as `event_at` gives it: the later event that stands for
-- it, or what is left.
local function redacted_event(tag, offset)
  local name = redis.call('HGET', tag .. ':superseded', offset)
  local later = name and redis.call('HGET', tag .. ':edits', name .. ':events')
  if later then return event_at(tag, string.match(later, '(%d+) $')) end
  local redacted = redis.call('HGET', tag .. ':redacted', offset)
  if redacted then return string.match(redacted, '^(%S+) (%d*) (.*)$') end
end

-- Retry keys of requests that one function carries out (those of messages: `messaging/lua/_messages.lua`):
--   {room:12}:retry:<account id>:<retry key>  a hash of the request, a blank, the answer; expires
-- The answer to an earlier request with this retry key; refuses one that came with another request.
local function recall_answer(tag, user, retry_key, request)
  local known = retry_key ~= '' and redis.call('GET', tag .. ':retry:' .. user .. ':' .. retry_key)
  if not known then return nil end
  local blank = string.find(known, ' ', 1, true)
  if string.sub(known, 1, blank - 1) ~= request then return refuse('retry_key_reused') end
  return string.sub(known, blank + 1)
end

local function remember_answer(tag, user, retry_key, request, lifetime, answer)
  if retry_key ~= '' then
    redis.call('SET', tag .. ':retry:' .. user .. ':' .. retry_key, request .. ' ' .. answer, 'EX', lifetime)
  end
end
