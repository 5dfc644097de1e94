-- rekey: put a room under another key of the name it has.
-- KEYS 1 the room's tag
-- ARGV 1 the key that it has  2 the new key  3 the token of `intend`  4 the number of the claim on the new key
-- Reply  1 if the room is under the new key now; 0 if it was renamed meanwhile, or is gone
-- Atomic. May be repeated.
local function rekey(keys, args)
  local tag, room = keys[1], read_room(keys[1])
  if not room or room.intent ~= args[3] or (room.key ~= args[1] and room.key ~= args[2]) then return 0 end
  redis.call('HSET', tag .. ':room', 'key', args[2], 'claim', args[4])
  redis.call('HDEL', tag .. ':room', 'pending', 'intent')
  return 1
end
register('rekey', rekey)
