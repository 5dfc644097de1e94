-- deliver: what one user said to another, edited or deleted, in the log of that other.
-- KEYS 1 the recipient's tag
-- ARGV 1 the recipient's name as JSON  2 the sender's account id  3 the sender's name as JSON
--      4 of the first thing that changes a message: that message's offset in this log, as the archive has it, 0 if it has
--      none, '' if it was not asked  5 … for each thing, oldest first: its offset in the sender's log, type, the id of the
--      message there, its body
-- Reply  {1, 0, the offsets here of messages that must go from the archive too, …} when all of it is there now; {2, the
--        offset in the sender's log of a message, the same} when the archive must be asked where this log has that: then
--        it is all to be delivered again; {3, the number of the block, the same as with 1} when all is there, and the
--        recipient blocks the sender, who may not know; {0, 0} when the recipient's account is gone
-- Atomic. May be repeated: what a sender does comes in the order of their log, so what is at or before the last that
-- came from them is there already. Runs when memory is full: the sender's half is stored, or gone, by now.
--   {user:9}:received        hash: sender's account id -> the offset, in their log, of the last that came from them
--   {user:9}:from:<account>  stream: an entry for each message from that user, its id the message's in their log;
--                            field: its id in this one; as long as this log was not let go of there
local function copy_of(tag, sender, id)
  local entry = redis.call('XRANGE', tag .. ':from:' .. sender, id .. '-0', id .. '-0')[1]
  return entry and entry[2][2]
end

local arrive = {}

function arrive.direct_message(tag, topic, sender, id, body)
  local own = append(tag, topic, 'direct_message', sender, FIELD .. body, 'peer', sender, 'origin', id)
  redis.call('XADD', tag .. ':from:' .. sender, id .. '-0', '', own)
  redis.call('SADD', tag .. ':peers', sender)
end

function arrive.message_edited(tag, topic, sender, id, body, own)
  if redis.call('HEXISTS', tag .. ':deleted', own) == 0 then change(tag, topic, own, sender, body) end
end

function arrive.message_deleted(tag, topic, sender, id, body, own)
  take_away(tag, own, {'messages', 'with:' .. sender})
  redis.call('XDEL', tag .. ':from:' .. sender, id .. '-0')
  note_deletion(tag, own, say_deleted(tag, topic, own, sender, body))
  return is_archived(tag, own) == 1
end

local function deliver(keys, args)
  local tag, name, sender, sender_name, kept = keys[1], unpack(args, 1, 4)
  if is_gone(tag) then return {0, 0} end
  local reply, last = {1, 0}, tonumber(redis.call('HGET', tag .. ':received', sender) or 0)
  may_sign(tag, sender, sender_name)
  for i = 5, #args, 4 do
    local offset, kind, id, body = tonumber(args[i]), args[i + 1], args[i + 2], args[i + 3]
    if offset > last then
      local own
      if kind ~= 'direct_message' then
        own = copy_of(tag, sender, id)
        if not own and let_go_of(tag) > 0 then
          if kept == '' then
            reply[1], reply[2] = 2, tonumber(id)
            break
          end
          own, kept = kept, ''
        end
        if own and tonumber(own) <= floor_of(tag) then own = nil end
      end
      if kind == 'direct_message' or (own and own ~= '0') then
        if arrive[kind](tag, topic_of_user(name), sender, id, body, own) then reply[#reply + 1] = tonumber(own) end
      end
      last = offset
    end
  end
  redis.call('HSET', tag .. ':received', sender, last)
  local block = reply[1] == 1 and redis.call('HGET', tag .. ':blocks', sender)
  if block then reply[1], reply[2] = 3, tonumber(string.match(block, '^%d+')) end
  return reply
end
register_on_log('deliver', deliver, WHEN_FULL)
