-- signed: some of the logs that hold what a user wrote, and perhaps some that they only meant to write to.
-- KEYS 1 the user's tag
-- ARGV 1 where the last call ended, 0 to begin
-- Reply  {where this call ended, 0 when it has seen them all; {tag of a log, …}}
-- Reads only.
local LOGS_AT_ONCE = 500

local function signed(keys, args)
  local tag, cursor = keys[1], args[1]
  return redis.call('SSCAN', tag .. ':signed', cursor, 'COUNT', LOGS_AT_ONCE)
end
register('signed', signed, READ_ONLY)
