-- mark_read: note how far a user has read, and tell their other devices.
-- KEYS 1 the user's tag
-- ARGV 1 their name as JSON  2 what they read: room:<id> or with:<account id>  3 the offset  4 the event's body
-- Reply  the offset up to which they have read; refuses an account that was deleted
-- Atomic: the marker and its event. May be repeated: a marker never goes back, and says nothing where it stays.
local function mark_read(keys, args)
  local tag, name, place, offset, body = keys[1], args[1], args[2], tonumber(args[3]), args[4]
  if is_gone(tag) then return refuse('account_gone') end
  local before = tonumber(redis.call('HGET', tag .. ':read', place) or 0)
  if offset <= before then return before end
  redis.call('HSET', tag .. ':read', place, offset)
  append(tag, topic_of_user(name), 'read', '', body)
  return offset
end
register_on_log('mark_read', mark_read)
