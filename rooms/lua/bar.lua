-- bar: keep a room from being made under an id that was claimed and not used, so that its name can go to another.
-- KEYS 1 the room's tag
-- Reply  1 if there is none and will be none; 0 if it was made meanwhile
-- Atomic: whoever is about to make the room either has made it, or finds the name taken. May be repeated.
local function bar(keys)
  local tag = keys[1]
  if read_room(tag) then return 0 end
  redis.call('SET', tag .. ':gone', '', 'EX', MONTH)
  return 1
end
register('bar', bar)
