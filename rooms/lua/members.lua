-- members: who is in a room.
-- KEYS 1 the room's tag
-- ARGV 1 the caller's account id  2 '1' for an admin
-- Reply  {{account id, name as JSON, time of joining, …}; notices, as `with_notices` gives them}; refuses a room the
--        caller can't see
-- Reads only.
local function members(keys, args)
  local tag = keys[1]
  if not admit(tag, args[1], args[2]) then return refuse('room_not_found') end
  local flat, reply = redis.call('HGETALL', tag .. ':members'), {}
  for i = 1, #flat, 2 do
    reply[#reply + 1] = flat[i]
    reply[#reply + 1] = signature(tag, flat[i])
    reply[#reply + 1] = flat[i + 1]
  end
  return with_notices(tag, {reply})
end
register('members', members, READ_ONLY)
