-- unread: how many messages of others, still there, came after the offset up to which a user has read.
-- KEYS 1 the tag of a room or a user
-- ARGV 1 the caller's account id  2 '1' for an admin  3 which list to read: messages, or with:<account id>
--      4 the offset  5 before which id to go on, '' to begin at the end
-- Reply  {offset of the last event in the log; the offset up to which the caller has read, which is that of their joining
--        if they joined later, and at least that up to which all is gone for good; the number, 100 for more; before which id to go on, '' when all in the log are counted;
--        the offset up to which the log was let go of}; {} for a room the caller can't see
-- Reads only. Looks at 500 messages at most.
local function unread(keys, args)
  local tag, user, is_admin, list, marked, upto = keys[1], unpack(args, 1, 5)
  if refusal_of(tag, user, is_admin) then return {} end
  local joined_at = tonumber(redis.call('HGET', tag .. ':joined', user) or 0)
  local read = math.max(tonumber(marked), joined_at, floor_of(tag))
  local number, before = count_unread(tag, list, user, read, upto)
  local head = redis.call('HMGET', tag .. ':head', 'offset', 'let_go')
  return {tonumber(head[1] or 0), read, number, before, tonumber(head[2] or 0)}
end
register_on_log('unread', unread, READ_ONLY)
