-- part: a log went another way than the archive from some offset on, without a word of it: it begins a new epoch.
-- KEYS 1 the topic's tag
-- ARGV 1 the epoch of both  2 the last offset that they share
-- Reply  1
-- Atomic. May be repeated. Clients that were further are told that their place is unknown.
local function part(keys, args)
  local tag, epoch, shared = keys[1], args[1], args[2]
  if redis.call('HGET', tag .. ':head', 'epoch') == epoch then
    redis.call('HSET', tag .. ':head', 'epoch', fresh_epoch(), 'earlier', epoch, 'shared', shared)
  end
  return 1
end
register_on_log('part', part, WHEN_FULL)
