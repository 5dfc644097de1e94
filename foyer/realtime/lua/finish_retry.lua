-- finish_retry: keep the answer of a creation for those who ask again.
-- KEYS 1 the user's tag
-- ARGV 1 what was created  2 the retry key  3 the answer
-- Reply  1
-- May be repeated. A record that expired meanwhile stays away.
local function finish_retry(keys, args)
  local record = keys[1] .. ':retry:' .. args[1] .. ':' .. args[2]
  if redis.call('EXISTS', record) == 1 then redis.call('HSET', record, 'answer', args[3]) end
  return 1
end
register('finish_retry', finish_retry)
