-- forget_user: remove what a deleted account had in its own log.
-- KEYS 1 the user's tag
-- Reply  1
-- May be repeated.
local function forget_user(keys)
  local tag = keys[1]
  for _, peer in ipairs(redis.call('SMEMBERS', tag .. ':peers')) do
    for _, part in ipairs{'with', 'from', 'outbox'} do redis.call('UNLINK', tag .. ':' .. part .. ':' .. peer) end
  end
  for _, part in ipairs{'head', 'log', 'messages', 'signers', 'redacted', 'edits', 'owed', 'received', 'peers', 'read'} do
    redis.call('UNLINK', tag .. ':' .. part)
  end
  return 1
end
register('forget_user', forget_user)
