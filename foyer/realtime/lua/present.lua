-- present: everyone who is there, and where the log stood at that moment.
-- KEYS 1 the topic's tag
-- Reply  {{offset of the last event, epoch}, {name as JSON, …}}
-- Reads only. The whole list is what those who come in are promised; it is read once for all who ask at a time.
local function present(keys)
  local tag = keys[1]
  local head = redis.call('HMGET', tag .. ':head', 'offset', 'epoch')
  return {{tonumber(head[1] or 0), head[2] or ''}, redis.call('HVALS', tag .. ':names')}
end
register('present', present, READ_ONLY)
