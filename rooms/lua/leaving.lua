-- leaving: some of those who were in a room when it was deleted, and still have it on their list.
-- KEYS 1 the room's tag
-- ARGV 1 … account ids of those whose list is right by now
-- Reply  {account id, …}; empty when it is right for all
-- May be repeated. Runs when memory is full.
local function leaving(keys, done)
  local list = keys[1] .. ':leaving'
  for _, user in ipairs(done) do redis.call('HDEL', list, user) end
  return redis.call('HRANDFIELD', list, MEMBERS_AT_ONCE)
end
register('leaving', leaving, WHEN_FULL)
