-- openness: whom a room is for.
-- KEYS 1 the room's tag
-- Reply  'open', 'members_only', '' for a room that is gone
-- Reads only.
local function openness(keys)
  local members_only = redis.call('HGET', keys[1] .. ':room', 'members_only')
  return members_only and (members_only == '1' and 'members_only' or 'open') or ''
end
register('openness', openness, READ_ONLY)
