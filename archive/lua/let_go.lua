-- let_go: what the archive has of a log leaves memory, but for the newest events.
-- KEYS 1 the topic's tag
-- ARGV 1 the offset up to which the archive has the log  2 the epoch of that  3 how many of the newest events stay
-- Reply  {how many events were let go of, 1 if there are more to let go of now}
-- Atomic. May be repeated. Runs when memory is full. Never lets go of more than the archive has, and of nothing if the
-- log is another one. It waits until an eighth more than is to stay is there, so that a busy log is not trimmed for each
-- event.
local AT_MOST = 10000  -- events in one call, as others wait meanwhile

local function let_go(keys, args)
  local tag, archived, epoch, hot = keys[1], tonumber(args[1]), args[2], tonumber(args[3])
  local head = redis.call('HMGET', tag .. ':head', 'offset', 'epoch', 'let_go')
  local last, before = tonumber(head[1] or 0), tonumber(head[3] or 0)
  if head[2] ~= epoch or archived > last or redis.call('EXISTS', tag .. ':gone') == 1 then return {0, 0} end
  redis.call('HSET', tag .. ':head', 'archived', archived)
  local wanted = math.min(archived, last - hot)
  local upto = math.min(wanted, before + AT_MOST)
  if upto - before <= hot / 8 then return {0, 0} end
  drop_log(tag, upto, last)
  return {upto - before, upto < wanted and 1 or 0}
end
register_on_log('let_go', let_go, WHEN_FULL)
