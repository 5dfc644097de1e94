-- peers: some of those with whom a user had a direct conversation.
-- KEYS 1 the user's tag
-- ARGV 1 where the last call ended, 0 to begin
-- Reply  {where this call ended, 0 when it has seen them all; {account id, …}}
-- Reads only. One may come twice.
local AT_ONCE = 500

local function peers(keys, args)
  return redis.call('SSCAN', keys[1] .. ':peers', args[1], 'COUNT', AT_ONCE)
end
register('peers', peers, READ_ONLY)
