-- finish_retry: keep the answer of a creation for those who ask again.
-- KEYS 1 the user's tag
-- ARGV 1 what was created  2 the retry key  3 the answer
-- Reply  1
-- May be repeated. A record that expired meanwhile stays away. Runs when memory is full, as the creation is done.
local function finish_retry(keys, args)
  local tag, kind, retry_key, answer = keys[1], unpack(args, 1, 3)
  local record = tag .. ':retry:' .. kind .. ':' .. retry_key
  if redis.call('EXISTS', record) == 1 then redis.call('HSET', record, 'answer', answer) end
  return 1
end
register('finish_retry', finish_retry, WHEN_FULL)
