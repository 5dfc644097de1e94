-- start_session: begin a session for somebody who has just proved who they are.
-- KEYS 1 the user's tag
-- ARGV 1 session id  2 when it ends (ms)  3 how many sessions an account may have  4 lifetime of the copy (ms)
--      5 username  6 is_admin  7 is_active  8 stamp  9 suspended  10 why: the row as it was when the password was checked
-- Reply  how many sessions they have now. Refuses when the account was deleted, is being changed, is suspended, or has
--        another password by now than the one that was checked.
-- Atomic: a session that began before a change of password is ended by it, one that comes later finds the new stamp;
-- of too many the one with the least time left ends. May be repeated. Runs when memory is full: what it writes is small,
-- an account has few sessions, and who can't sign in can't delete anything.
local function start_session(keys, args)
  local tag, session, ends, most, lifetime, username, is_admin, is_active, stamp, suspended, why =
    keys[1], unpack(args, 1, 10)
  if is_gone(tag) then return refuse('account_gone') end
  local known = redis.call('HMGET', tag .. ':account', 'hold', 'stamp', 'is_active', 'suspended')
  local hold, known_stamp, known_active, known_suspended = unpack(known, 1, 4)
  if hold then return refuse('account_changing') end
  if known_stamp and (known_stamp ~= stamp or known_active == '0') then return refuse('account_changed') end
  if is_suspended(known_suspended or suspended) then return refuse('account_changed') end
  if known_stamp then
    redis.call('PEXPIRE', tag .. ':account', lifetime)
  else
    write_copy(tag, lifetime, username, is_admin, is_active, stamp, suspended, why)
  end

  local sessions, now, held = tag .. ':sessions', milliseconds(), {}
  local all = redis.call('HGETALL', sessions)
  for i = 1, #all, 2 do
    if tonumber(all[i + 1]) <= now then
      redis.call('HDEL', sessions, all[i])
    elseif all[i] ~= session then
      held[#held + 1] = {all[i], tonumber(all[i + 1])}
    end
  end
  table.sort(held, function(a, b) return a[2] < b[2] end)
  for i = 1, #held + 1 - most do
    redis.call('HDEL', sessions, held[i][1])
    announce_end(tag, held[i][1])
  end
  redis.call('HSET', sessions, session, ends)
  redis.call('PEXPIREAT', sessions, ends, 'NX')
  redis.call('PEXPIREAT', sessions, ends, 'GT') -- never earlier than the one that lasts longest
  return redis.call('HLEN', sessions)
end
register('start_session', start_session, WHEN_FULL)
