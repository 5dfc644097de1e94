-- connected: who is there, the latest to come first, and at which instances of the server.
-- KEYS 1 the topic's tag
-- ARGV 1 how many to skip  2 how many at most  3 the account id of the only one asked after, '' for everyone
-- Reply  {how many are there; {instance, when it last said that it lives (ms), …}; for each user {account id, name as
--        JSON, since when (ms), instance, …}}
-- Reads only.
local function connected(keys, args)
  local tag, skip, limit, only = keys[1], unpack(args, 1, 3)
  local beats, users = redis.call('ZRANGE', tag .. ':beats', 0, -1, 'WITHSCORES'), {only}
  if only == '' then users = redis.call('ZREVRANGE', tag .. ':since', skip, skip + limit - 1) end
  local reply = {redis.call('ZCARD', tag .. ':since'), beats}
  for _, user in ipairs(users) do
    local name, since = redis.call('HGET', tag .. ':names', user), redis.call('ZSCORE', tag .. ':since', user)
    if name and since then
      local row = {user, name, since}
      for i = 1, #beats, 2 do
        if redis.call('SISMEMBER', tag .. ':at:' .. beats[i], user) == 1 then row[#row + 1] = beats[i] end
      end
      reply[#reply + 1] = row
    end
  end
  return reply
end
register('connected', connected, READ_ONLY)
