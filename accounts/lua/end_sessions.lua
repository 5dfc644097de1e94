-- end_sessions: sign out.
-- KEYS 1 the user's tag
-- ARGV 1 session id, or '' for all of them
-- Reply  1
-- Atomic: the session ends and every process hears of it, or neither. May be repeated. Runs when memory is full.
local function end_sessions(keys, args)
  local tag, session = keys[1], args[1]
  if session == '' then
    end_all(tag)
  else
    redis.call('HDEL', tag .. ':sessions', session)
    announce_end(tag, session)
  end
  return 1
end
register('end_sessions', end_sessions, WHEN_FULL)
