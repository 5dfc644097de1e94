-- deliver: what one user said to another, edited or deleted, in the log of that other.
-- KEYS 1 the recipient's tag
-- ARGV 1 the recipient's name as JSON  2 the sender's account id  3 the sender's name as JSON
--      4 … for each thing, oldest first: its offset in the sender's log, type, the id of the message there, its body
-- Reply  1 when all of it is there now; 0 when the recipient's account is gone
-- Atomic. May be repeated: what a sender does comes in the order of their log, so what is at or before the last that
-- came from them is there already. Runs when memory is full: the sender's half is stored, or gone, by now.
--   {user:9}:received        hash: sender's account id -> the offset, in their log, of the last that came from them
--   {user:9}:from:<account>  stream: an entry for each message from that user, its id the message's in their log;
--                            field: its id in this one
local function copy_of(tag, sender, id)
  local entry = redis.call('XRANGE', tag .. ':from:' .. sender, id .. '-0', id .. '-0')[1]
  return entry and entry[2][2]
end

local arrive = {}

function arrive.direct_message(tag, topic, sender, id, body)
  local own = append(tag, topic, 'direct_message', sender, FIELD .. body)
  redis.call('XADD', tag .. ':with:' .. sender, own .. '-0', '', '')
  redis.call('XADD', tag .. ':messages', own .. '-0', '', '')
  redis.call('XADD', tag .. ':from:' .. sender, id .. '-0', '', own)
  redis.call('SADD', tag .. ':peers', sender)
end

function arrive.message_edited(tag, topic, sender, id, body)
  local own = copy_of(tag, sender, id)
  if own then change(tag, topic, own, sender, body) end
end

function arrive.message_deleted(tag, topic, sender, id, body)
  local own = copy_of(tag, sender, id)
  if not own then return end
  take_away(tag, own, {'messages', 'with:' .. sender})
  redis.call('XDEL', tag .. ':from:' .. sender, id .. '-0')
  say_deleted(tag, topic, own, sender, body)
end

local function deliver(keys, args)
  local tag, name, sender, sender_name = keys[1], args[1], args[2], args[3]
  if is_gone(tag) then return 0 end
  local last = tonumber(redis.call('HGET', tag .. ':received', sender) or 0)
  may_sign(tag, sender, sender_name)
  for i = 4, #args, 4 do
    local offset, kind, id, body = tonumber(args[i]), args[i + 1], args[i + 2], args[i + 3]
    if offset > last then
      arrive[kind](tag, topic_of_user(name), sender, id, body)
      last = offset
    end
  end
  redis.call('HSET', tag .. ':received', sender, last)
  return 1
end
register_on_log('deliver', deliver, WHEN_FULL)
