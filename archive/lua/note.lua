-- note: topics were written to.
-- KEYS 1 the archive's tag
-- ARGV 1 … tags of topics
-- Reply  1
-- May be repeated.
local function note(keys, args)
  redis.call('SADD', keys[1] .. ':dirty', unpack(args))
  return 1
end
register('note', note)
