-- present: everyone who is there, and where the log stood at that moment.
-- KEYS 1 the topic's tag
-- Reply  {offset of the last event, epoch, name as JSON, …}
-- Reads only.
local function present(keys)
  local reply, head = redis.call('HVALS', keys[1] .. ':names'), redis.call('HMGET', keys[1] .. ':head', 'offset', 'epoch')
  table.insert(reply, 1, head[2] or '')
  table.insert(reply, 1, tonumber(head[1] or 0))
  return reply
end
register('present', present, READ_ONLY)
