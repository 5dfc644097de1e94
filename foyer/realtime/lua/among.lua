-- among: which of some users are there.
-- KEYS 1 the topic's tag
-- ARGV 1 … account ids
-- Reply  {1 or 0 for each}
-- Reads only.
local function among(keys, users)
  local tag, reply = keys[1], {}
  for i, user in ipairs(users) do reply[i] = redis.call('HEXISTS', tag .. ':users', user) end
  return reply
end
register('among', among, READ_ONLY)
