-- mark_read: note how far a user has read, and tell his other devices.
-- KEYS 1 the user's tag
-- ARGV 1 his name as JSON  2 what he reads: room:<id> or with:<account id>  3 the offset  4 the event's body
-- Reply  the offset up to which he has read; refuses an account that was deleted
-- Atomic: the marker and its event. May be repeated: a marker never goes back, and says nothing where it stays.
local function mark_read(keys, args)
  local tag, place, offset = keys[1], args[2], tonumber(args[3])
  if redis.call('EXISTS', tag .. ':gone') == 1 then return refuse('account_gone') end
  local before = tonumber(redis.call('HGET', tag .. ':read', place) or 0)
  if offset <= before then return before end
  redis.call('HSET', tag .. ':read', place, offset)
  append(tag, '"user:' .. string.sub(args[1], 2), 'read', '', args[4])
  return offset
end
register('mark_read', mark_read)
