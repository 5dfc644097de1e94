-- copy: the events of a log after an offset, as the log keeps them.
-- KEYS 1 the topic's tag
-- ARGV 1 the offset  2 the epoch that it belongs to, '' before the first  3 how many events, about
-- Reply  {offset of the last event in the log, its epoch, the epoch before that or '', the last offset that both share or
--        0, the offset up to which the log was let go of, 1 if the topic is gone, {offset, type, signer, body, the other
--        one's account id or '', the offset in the sender's log or '' …}}. Of another epoch than the log's there are no events.
-- Reads only, at one moment.

-- The entries of `:from:` are in the order of both logs, so one is found by halving.
local function find_origin(tag, by, offset)
  local from = tag .. ':from:' .. by
  local first, last = redis.call('XRANGE', from, '-', '+', 'COUNT', 1)[1], redis.call('XREVRANGE', from, '+', '-', 'COUNT', 1)[1]
  if not first then return '' end
  local low, high = offset_of(first[1]), offset_of(last[1])
  while low <= high do
    local middle = math.floor((low + high) / 2)
    local entry = redis.call('XRANGE', from, middle .. '-0', '+', 'COUNT', 1)[1]
    local origin, own = offset_of(entry[1]), tonumber(entry[2][2])
    if own == offset then return origin end
    if own < offset then low = origin + 1 else high = middle - 1 end
  end
  return ''
end

-- The other one in a direct message that a release before this one wrote, and its offset in the sender's log.
local function find_peer(tag, offset, by)
  local own = string.match(tag, '^{user:(%d+)}$')
  if not own then return '', '' end
  if by ~= own then return by, find_origin(tag, by, offset) end
  for _, peer in ipairs(redis.call('SMEMBERS', tag .. ':peers')) do
    if #redis.call('XRANGE', tag .. ':with:' .. peer, offset .. '-0', offset .. '-0') > 0 then return peer, '' end
  end
  return '', ''
end

local function copy(keys, args)
  local tag, after, epoch, count = keys[1], tonumber(args[1]), args[2], tonumber(args[3])
  local head = redis.call('HMGET', tag .. ':head', 'offset', 'epoch', 'earlier', 'shared', 'let_go')
  local last, current = tonumber(head[1] or 0), head[2] or ''
  local gone = redis.call('EXISTS', tag .. ':gone')
  local reply = {last, current, head[3] or '', tonumber(head[4] or 0), tonumber(head[5] or 0), gone}
  local events = {}
  reply[7] = events
  if gone == 1 or (epoch ~= '' and epoch ~= current) then return reply end
  local expected, has_redacted = after + 1, redis.call('EXISTS', tag .. ':redacted') == 1
  local function add(offset, kind, by, body, peer, origin)
    if kind == 'direct_message' and not peer then peer, origin = find_peer(tag, offset, by) end
    events[#events + 1] = {offset, kind, by, body, peer or '', origin or ''}
    expected = offset + 1
  end
  local function add_redacted(upto)
    while has_redacted and expected <= upto do
      local kind, by, body = redacted_event(tag, expected)
      if kind then
        add(expected, kind, by, body)
      else
        expected = expected + 1
      end
    end
  end
  local entries = redis.call('XRANGE', tag .. ':log', (after + 1) .. '-0', '+', 'COUNT', count)
  for _, entry in ipairs(entries) do
    local offset, fields = offset_of(entry[1]), entry[2]
    add_redacted(offset - 1)
    add(offset, fields[2], fields[4], fields[6], fields[8], fields[10])
  end
  if #entries < count then add_redacted(last) end
  return reply
end
register_on_log('copy', copy, READ_ONLY)
