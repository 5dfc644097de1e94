-- lift: a log that was restored from a back-up goes on where the archive ends, which has all that came after the back-up.
-- KEYS 1 the topic's tag
-- ARGV 1 the epoch of both  2 the offset of the log's last event  3 that of the archive's
-- Reply  1 if the log goes on there; 0 if it is not as the caller saw it
-- Atomic. May be repeated. Runs when memory is full. From here on the log is the one that clients knew before.
local function lift(keys, args)
  local tag, epoch, last, archived = keys[1], args[1], args[2], args[3]
  local head = redis.call('HMGET', tag .. ':head', 'epoch', 'offset')
  if head[1] ~= epoch or head[2] ~= last or redis.call('EXISTS', tag .. ':gone') == 1 then return 0 end
  redis.call('HSET', tag .. ':head', 'offset', archived, 'archived', archived)
  drop_log(tag, tonumber(archived), tonumber(archived))
  return 1
end
register_on_log('lift', lift, WHEN_FULL)
