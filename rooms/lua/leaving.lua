-- leaving: some of those who were in a room when it was deleted, and still have it on their list.
-- KEYS 1 the room's tag
-- ARGV 1 … account ids of those whose list is right by now
-- Reply  {1 if there are more, else 0; account id, …}
-- May be repeated. Runs when memory is full.
local function leaving(keys, done)
  local tag = keys[1]
  for _, user in ipairs(done) do redis.call('HDEL', tag .. ':leaving', user) end
  return still_leaving(tag)
end
register('leaving', leaving, WHEN_FULL)
