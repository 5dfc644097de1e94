-- deliver: store a direct message in its recipient's log.
-- KEYS 1 the recipient's tag
-- ARGV 1 the recipient's name as JSON  2 the sender's account id  3 the sender's name as JSON
--      4 the message's offset in the sender's log  5 the message's body
-- Reply  1 when it is there now; 0 when the recipient's account is gone
-- Atomic. May be repeated: a sender's messages come in the order of his log, so one at or before the last that came
-- from him is there already.
--   {user:9}:received  hash: sender's account id -> the offset, in his log, of the last message from him
local function deliver(keys, args)
  local tag, sender, offset = keys[1], args[2], tonumber(args[4])
  if redis.call('EXISTS', tag .. ':gone') == 1 then return 0 end
  if offset <= tonumber(redis.call('HGET', tag .. ':received', sender) or 0) then return 1 end
  redis.call('HSET', tag .. ':received', sender, offset)
  may_sign(tag, sender, args[3])
  local own = append(tag, '"user:' .. string.sub(args[1], 2), 'direct_message', sender, '"message":' .. args[5])
  redis.call('XADD', tag .. ':with:' .. sender, own .. '-0', '', '')
  redis.call('XADD', tag .. ':messages', own .. '-0', '', '')
  redis.call('SADD', tag .. ':peers', sender)
  return 1
end
register('deliver', deliver)
