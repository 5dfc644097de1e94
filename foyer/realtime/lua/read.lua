-- read: the events after an offset, in order and without a hole, or nothing.
-- KEYS 1 the topic's tag
-- ARGV 1 the topic's name as JSON  2 the offset after which to read  3 how many events at most
--      4 the epoch that the offset belongs to, '' to trust it  5 how many bytes of them, of which the last may be over
-- Reply  {1, offset of the last event in the log, epoch, {announcement, …}}; {0, offset, epoch, {}} when the log can't
--        tell what came after that offset: another epoch, an offset not reached yet, or events no longer kept; {2,
--        offset, epoch, {}, the offset up to which the log was let go of} when they begin in the archive
-- Reads only, at one moment: the events and the end of the log belong together.
local AT_A_TIME = 100

local function is_known(last, known, after, epoch)
  if after > last then return false end
  if epoch == '' or epoch == known[2] then return true end
  return epoch == known[3] and after <= tonumber(known[4])
end

local function read(keys, args)
  local tag, topic, after, count, epoch = keys[1], args[1], tonumber(args[2]), tonumber(args[3]), args[4]
  local most, size = tonumber(args[5]), 0
  local known = redis.call('HMGET', tag .. ':head', 'offset', 'epoch', 'earlier', 'shared', 'let_go', 'floor')
  local last, current, let_go = tonumber(known[1] or 0), known[2] or '', tonumber(known[5] or 0)
  if not is_known(last, known, after, epoch) then return {0, last, current, {}} end
  if after < tonumber(known[6] or 0) then return {0, last, current, {}} end
  if after < let_go then return {2, last, current, {}, let_go} end
  local events, expected, names = {}, after + 1, {}
  local function add(kind, by, body)
    if not names[by] then names[by] = signature(tag, by) end
    local event = compose(topic, expected, kind, names[by], with_names(tag, body))
    events[#events + 1] = announcement(expected, current, kind, event)
    expected, size = expected + 1, size + #event
  end
  local function wants_more() return #events < count and size < most end
  -- Those up to one that are no longer in the log itself; false where it can't tell them.
  local function add_redacted(upto)
    while expected <= upto and wants_more() do
      local kind, by, body = redacted_event(tag, expected)
      if not kind then return false end
      add(kind, by, body)
    end
    return true
  end
  while wants_more() and expected <= last do
    local portion = math.min(AT_A_TIME, count - #events)
    local entries = redis.call('XRANGE', tag .. ':log', expected .. '-0', '+', 'COUNT', portion)
    for _, entry in ipairs(entries) do
      local offset, fields = offset_of(entry[1]), entry[2]
      if not add_redacted(offset - 1) then return {0, last, current, {}} end
      if not wants_more() then break end
      add(fields[2], fields[4], fields[6])
    end
    if #entries < portion then
      if not add_redacted(last) then return {0, last, current, {}} end
      break
    end
  end
  return {1, last, current, events}
end
register_on_log('read', read, READ_ONLY)
