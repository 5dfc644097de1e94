-- place_retry: note where a creation is about to be made, so that another attempt looks there first.
-- KEYS 1 the user's tag
-- ARGV 1 what is created  2 the retry key  3 the place that is noted, as the caller knows it, or ''  4 the new place
-- Reply  the place that is noted now: another than the new one if another attempt has noted one meanwhile
-- Atomic: attempts at once can't each go to a place that the other does not know. May be repeated. A record that expired
-- meanwhile stays away.
local function place_retry(keys, args)
  local tag, kind, retry_key, known, new = keys[1], unpack(args, 1, 4)
  local record = tag .. ':retry:' .. kind .. ':' .. retry_key
  local noted = redis.call('HGET', record, 'place') or ''
  if noted ~= known then return noted end
  if redis.call('EXISTS', record) == 1 then redis.call('HSET', record, 'place', new) end
  return new
end
register('place_retry', place_retry)
