-- delivered: a direct message is in its recipient's log; it need not be delivered again.
-- KEYS 1 the sender's tag
-- ARGV 1 … the offsets of such messages in the sender's log
-- Reply  1
-- May be repeated.
local function delivered(keys, args)
  redis.call('HDEL', keys[1] .. ':outbox', unpack(args))
  return 1
end
register('delivered', delivered)
