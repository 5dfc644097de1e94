-- terms: for how long a topic keeps its events, and how far its log is gone for good.
-- KEYS 1 the topic's tag
-- Reply  {days, `null` for ever, '' where nobody said; the epoch of the log, '' before the first or where the topic is gone}
-- Reads only.
local function terms(keys)
  local tag = keys[1]
  if redis.call('EXISTS', tag .. ':gone') == 1 then return {'', ''} end
  return {redis.call('HGET', tag .. ':room', 'retention_days') or '', redis.call('HGET', tag .. ':head', 'epoch') or ''}
end
register('terms', terms, READ_ONLY)
