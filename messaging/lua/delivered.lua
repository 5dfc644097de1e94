-- delivered: things are in their recipient's log; they need not be delivered again.
-- KEYS 1 the sender's tag
-- ARGV 1 the recipient's account id  2 … their offsets in the sender's log
-- Reply  what waits for that recipient now, as `portion` gives it
-- Atomic. May be repeated. Runs when memory is full.
local function delivered(keys, args)
  local tag, recipient = keys[1], args[1]
  local waiting = tag .. ':outbox:' .. recipient
  for i = 2, #args do redis.call('XDEL', waiting, args[i] .. '-0') end
  if redis.call('XLEN', waiting) == 0 then
    redis.call('DEL', waiting)
    redis.call('SREM', tag .. ':owed', recipient)
  end
  return portion(tag, recipient)
end
register('delivered', delivered, WHEN_FULL)
