-- member_ids: who is in a room.
-- KEYS 1 the room's tag
-- Reply  {account id, …}
-- Reads only.
local function member_ids(keys)
  return redis.call('HKEYS', keys[1] .. ':members')
end
register('member_ids', member_ids, READ_ONLY)
