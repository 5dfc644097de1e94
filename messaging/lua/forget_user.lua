-- forget_user: remove what a deleted account had in its own log, a portion at a time.
-- KEYS 1 the user's tag
-- Reply  1 when nothing is left, 0 when there is more: then it is to be called again
-- May be repeated. Runs when memory is full.
local PEERS_AT_ONCE = 500

local function forget_user(keys)
  local tag = keys[1]
  for _, peer in ipairs(redis.call('SRANDMEMBER', tag .. ':peers', PEERS_AT_ONCE)) do
    for _, part in ipairs{'with', 'from', 'outbox'} do redis.call('UNLINK', tag .. ':' .. part .. ':' .. peer) end
    redis.call('SREM', tag .. ':peers', peer)
  end
  if redis.call('EXISTS', tag .. ':peers') == 1 then return 0 end
  local parts = {'head', 'log', 'messages', 'signers', 'redacted', 'superseded', 'edits', 'deleted', 'owed', 'received', 'read', 'blocks', 'blocked_by'}
  for _, part in ipairs(parts) do redis.call('UNLINK', tag .. ':' .. part) end
  return 1
end
register('forget_user', forget_user, WHEN_FULL)
