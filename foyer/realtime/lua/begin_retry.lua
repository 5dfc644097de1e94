-- begin_retry: remember that a creation with this retry key was begun, and by which token it can be recognised.
-- KEYS 1 the user's tag
-- ARGV 1 what is created  2 the retry key  3 a hash of the request  4 a fresh token  5 seconds to remember it
-- Reply  {token of the first attempt, its answer or '', the place that `place_retry` noted or ''}; refuses a key that
--        came with another request
-- Atomic: of two attempts at once, both get the token of the first. May be repeated.
local function begin_retry(keys, args)
  local tag, kind, retry_key, request, token, lifetime = keys[1], unpack(args, 1, 5)
  local record = tag .. ':retry:' .. kind .. ':' .. retry_key
  local known = redis.call('HMGET', record, 'request', 'token', 'answer', 'place')
  if not known[1] then
    redis.call('HSET', record, 'request', request, 'token', token)
    redis.call('EXPIRE', record, lifetime)
    return {token, '', ''}
  end
  if known[1] ~= request then return refuse('retry_key_reused') end
  return {known[2], known[3] or '', known[4] or ''}
end
register('begin_retry', begin_retry)
