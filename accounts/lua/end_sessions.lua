-- end_sessions: sign out.
-- KEYS 1 the user's tag
-- ARGV 1 session id, or '' for all of them
-- Reply  1
-- Atomic: the session ends and every process hears of it, or neither. May be repeated.
local function end_sessions(keys, args)
  if args[1] == '' then
    end_all(keys[1])
  else
    redis.call('HDEL', keys[1] .. ':sessions', args[1])
    announce_end(keys[1], args[1])
  end
  return 1
end
register('end_sessions', end_sessions)
