-- expire: what lies up to an offset is gone for good, as it is older than the topic keeps it.
-- KEYS 1 the topic's tag
-- ARGV 1 the offset, which the archive has  2 the epoch of that
-- Reply  the offset up to which it is gone now: if that is before the one given, it is to be called again; -1 if the log
--        is another one, or has not come so far
-- Atomic. May be repeated. Runs when memory is full. No offset is ever used again: the head stays. Later edits of what is
-- gone lose their texts, as by a deletion.
local AT_MOST = 10000  -- events in one call, as others wait meanwhile

local function expire(keys, args)
  local tag, wanted, epoch = keys[1], tonumber(args[1]), args[2]
  local head = redis.call('HMGET', tag .. ':head', 'offset', 'epoch', 'let_go', 'floor')
  local last, let_go, floor = tonumber(head[1] or 0), tonumber(head[3] or 0), tonumber(head[4] or 0)
  if head[2] ~= epoch or wanted > last or redis.call('EXISTS', tag .. ':gone') == 1 then return -1 end
  if wanted <= floor then return floor end
  floor = math.min(wanted, math.max(let_go, floor) + AT_MOST)
  for _, field in ipairs(redis.call('HKEYS', tag .. ':edits')) do
    local id = string.match(field, '^%d+$')
    if id and tonumber(id) <= floor then take_away(tag, id, {}) end
  end
  redis.call('HSET', tag .. ':head', 'floor', floor)
  if floor > let_go then drop_log(tag, floor, last) end
  return floor
end
register_on_log('expire', expire, WHEN_FULL)
