-- head: where a topic's log stands.
-- KEYS 1 the topic's tag
-- Reply  {offset of the last event, epoch}; {0, ''} for a log that was never written
-- Reads only.
local function head(keys)
  local tag = keys[1]
  local known = redis.call('HMGET', tag .. ':head', 'offset', 'epoch')
  return {tonumber(known[1] or 0), known[2] or ''}
end
register('head', head, READ_ONLY)
