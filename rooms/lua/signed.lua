-- signed: the logs that hold what a user wrote, and perhaps some that he only meant to write to.
-- KEYS 1 the user's tag
-- Reply  {tag of a log, …}
local function signed(keys)
  return redis.call('SMEMBERS', keys[1] .. ':signed')
end
register('signed', signed, READ_ONLY)
