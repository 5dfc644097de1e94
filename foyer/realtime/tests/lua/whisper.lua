-- whisper: append an event without announcing it, as if the announcement had been lost on its way.
-- KEYS 1 the topic's tag
-- ARGV 1 the type  2 the body
-- Reply  its offset
local function whisper(keys, args)
  local offset = next_offset(keys[1])
  redis.call('XADD', keys[1] .. ':log', offset .. '-0', 'type', args[1], 'by', '', 'body', args[2])
  return offset
end
register('whisper', whisper)
