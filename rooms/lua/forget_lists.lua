-- forget_lists: drop a deleted account's lists, after the rooms have forgotten it.
-- KEYS 1 the user's tag
-- Reply  1
-- May be repeated.
local function forget_lists(keys)
  redis.call('UNLINK', keys[1] .. ':rooms')
  redis.call('UNLINK', keys[1] .. ':coming')
  redis.call('UNLINK', keys[1] .. ':told')
  redis.call('UNLINK', keys[1] .. ':signed')
  return 1
end
register('forget_lists', forget_lists)
