-- list_sessions: the sessions of an account, which are few: the oldest end when there are too many.
-- KEYS 1 the user's tag
-- Reply  {session id, when it ends (ms), …} of those that have not ended; {} for an account that was deleted
-- Reads only.
local function list_sessions(keys)
  local reply, now = {}, milliseconds()
  local all = redis.call('HGETALL', keys[1] .. ':sessions')
  for i = 1, #all, 2 do
    if tonumber(all[i + 1]) > now then
      reply[#reply + 1] = all[i]
      reply[#reply + 1] = tonumber(all[i + 1])
    end
  end
  return reply
end
register('list_sessions', list_sessions, READ_ONLY)
