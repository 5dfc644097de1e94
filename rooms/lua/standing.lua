-- standing: which of some users are in a room.
-- KEYS 1 the room's tag
-- ARGV 1 … account ids
-- Reply  {1 or 0 for each}
-- Reads only.
local function standing(keys, users)
  local tag, reply = keys[1], {}
  local has_bans = redis.call('HGET', tag .. ':room', 'bans')
  for i, user in ipairs(users) do
    reply[i] = is_member(tag, user) and not (has_bans and restriction(tag, 'bans', user)) and 1 or 0
  end
  return reply
end
register('standing', standing, READ_ONLY)
