-- progress: how far the follower got.
-- KEYS 1 the archive's tag
-- ARGV 1 how many of the topics that are to be copied it shall name
-- Reply  {who holds the lease, '' for nobody; who told last, '' before the first; how long ago that was (ms); how many
--        events were archived; how many the store let go of; how many topics are to be copied; for how long the first of
--        them has waited (ms); {tag of a topic that is to be copied, …}}
-- Reads only.
local function progress(keys, args)
  local tag, most = keys[1], args[1]
  local told = redis.call('HMGET', tag .. ':progress', 'follower', 'at', 'archived', 'trimmed', 'taken_since', 'dirty_since')
  local now, owed, since, topics = now_in_ms(), 0, nil, {}
  for i, set in ipairs{tag .. ':taken', tag .. ':dirty'} do
    local count = redis.call('SCARD', set)
    if count > 0 then
      owed, since = owed + count, since or told[4 + i]
      for _, topic in ipairs(redis.call('SRANDMEMBER', set, most)) do topics[#topics + 1] = topic end
    end
  end
  local waited = since and math.max(now - tonumber(since), 0) or 0
  return {
    redis.call('GET', tag .. ':lease') or '', told[1] or '', told[2] and now - tonumber(told[2]) or 0,
    tonumber(told[3] or 0), tonumber(told[4] or 0), owed, waited, topics,
  }
end
register('progress', progress, READ_ONLY)
