-- claims: some of the claims on names in the index.
-- KEYS 1 the index's tag
-- ARGV 1 the cursor, '0' to begin  2 how many, about
-- Reply  {the next cursor, '0' at the end; key of a name, room id, number of the claim, …}
-- Reads only. Whoever goes on until the end has seen every name that was there all the time.
local function claims(keys, args)
  local found = redis.call('HSCAN', keys[1] .. ':names', args[1], 'COUNT', args[2])
  local reply = {found[1]}
  for i = 1, #found[2], 2 do
    local holder, number = string.match(found[2][i + 1], '^(%d+) (%d+)$')
    reply[#reply + 1] = found[2][i]
    reply[#reply + 1] = holder
    reply[#reply + 1] = number
  end
  return reply
end
register('claims', claims, READ_ONLY)
