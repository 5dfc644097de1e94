-- start_session: begin a session for somebody who has just proved who he is.
-- KEYS 1 the user's tag
-- ARGV 1 session id  2 when it ends (ms)  3 how many sessions an account may have  4 lifetime of the copy (ms)
--      5 username  6 is_admin  7 is_active  8 stamp: the row as it was when the password was checked
-- Reply  how many sessions he has now. Refuses when the account was deleted, is being changed, or has another password
--        by now than the one that was checked.
-- Atomic: a session that began before a change of password is ended by it, one that comes later finds the new stamp;
-- of too many the one with the least time left ends. May be repeated.
local function start_session(keys, args)
  local user = keys[1]
  if is_gone(user) then return refuse('account_gone') end
  local known = redis.call('HMGET', user .. ':account', 'hold', 'stamp', 'is_active')
  if known[1] then return refuse('account_changing') end
  if known[2] and (known[2] ~= args[8] or known[3] == '0') then return refuse('account_changed') end
  if known[2] then
    redis.call('PEXPIRE', user .. ':account', args[4])
  else
    write_copy(user, args[4], args[5], args[6], args[7], args[8])
  end

  local sessions, now, held = user .. ':sessions', milliseconds(), {}
  local all = redis.call('HGETALL', sessions)
  for i = 1, #all, 2 do
    if tonumber(all[i + 1]) <= now then
      redis.call('HDEL', sessions, all[i])
    elseif all[i] ~= args[1] then
      held[#held + 1] = {all[i], tonumber(all[i + 1])}
    end
  end
  table.sort(held, function(a, b) return a[2] < b[2] end)
  for i = 1, #held + 1 - args[3] do
    redis.call('HDEL', sessions, held[i][1])
    announce_end(user, held[i][1])
  end
  redis.call('HSET', sessions, args[1], args[2])
  redis.call('PEXPIREAT', sessions, args[2], 'NX')
  redis.call('PEXPIREAT', sessions, args[2], 'GT') -- never earlier than the one that lasts longest
  return redis.call('HLEN', sessions)
end
register('start_session', start_session)
