-- note: topics were written to.
-- KEYS 1 the archive's tag
-- ARGV 1 … tags of topics
-- Reply  1
-- May be repeated. Runs when memory is full: what is copied can be let go of.
local function note(keys, topics)
  local dirty, progress = keys[1] .. ':dirty', keys[1] .. ':progress'
  if redis.call('EXISTS', dirty) == 0 then redis.call('HSET', progress, 'dirty_since', now_in_ms()) end
  for _, topic in ipairs(topics) do redis.call('SADD', dirty, topic) end
  return 1
end
register('note', note, WHEN_FULL)
