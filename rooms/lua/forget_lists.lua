-- forget_lists: drop a deleted account's lists, after the rooms have forgotten it.
-- KEYS 1 the user's tag
-- Reply  1
-- May be repeated. Runs when memory is full.
local function forget_lists(keys)
  local tag = keys[1]
  for _, list in ipairs{'rooms', 'coming', 'told', 'signed', 'owned'} do redis.call('UNLINK', tag .. ':' .. list) end
  return 1
end
register('forget_lists', forget_lists, WHEN_FULL)
