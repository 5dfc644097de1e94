-- holds: whether a room really has the name that the index says it has.
-- KEYS 1 the room's tag
-- ARGV 1 the key of the name
-- Reply  'yes'; 'unmade' when no such room was made yet; 'gone' when it was deleted, 'leaving' while some have it on their
--        list still; 'no' when it has another name
-- Reads only. A rename that is under way, or stopped half way, keeps the name it claimed until the room gets another.
local function holds(keys, args)
  local tag, key = keys[1], args[1]
  local room = read_room(tag)
  if not room and redis.call('EXISTS', tag .. ':leaving') == 1 then return 'leaving' end
  if not room then return redis.call('EXISTS', tag .. ':gone') == 1 and 'gone' or 'unmade' end
  return (room.key == key or room.pending == key) and 'yes' or 'no'
end
register('holds', holds, READ_ONLY)
