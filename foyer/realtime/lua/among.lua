-- among: which of some users are there.
-- KEYS 1 the topic's tag
-- ARGV 1 … account ids
-- Reply  {1 or 0 for each}
-- Reads only.
local function among(keys, args)
  local reply = {}
  for i, user in ipairs(args) do reply[i] = redis.call('HEXISTS', keys[1] .. ':users', user) end
  return reply
end
register('among', among, READ_ONLY)
