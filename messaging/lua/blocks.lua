-- blocks: whom a user blocks.
-- KEYS 1 their tag
-- ARGV 1 an account id, to ask about one user, else ''
-- Reply  of one user the number of the block, or with a minus that of the last change if they are not blocked; of all
--        {account id, since when, …}
-- Reads only.
local function blocks(keys, args)
  local key, other = keys[1] .. ':blocks', args[1]
  if other ~= '' then
    local held = redis.call('HGET', key, other)
    if held then return string.match(held, '^%d+') end
    local last = redis.call('HGET', key, 'last') or string.format('%.0f', redis.call('TIME')[1] * 1000000)
    return '-' .. last
  end
  local all, reply = redis.call('HGETALL', key), {}
  for i = 1, #all, 2 do
    if all[i] ~= 'last' then
      reply[#reply + 1] = all[i]
      reply[#reply + 1] = string.match(all[i + 1], ' (.*)$')
    end
  end
  return reply
end
register('blocks', blocks, READ_ONLY)
