-- What is noted beside a log, and goes when the log is let go of. Shared by the functions of this library.

-- Drops the fields of a hash, which are offsets, up to one.
local function drop_upto(key, upto)
  for _, field in ipairs(redis.call('HKEYS', key)) do
    if tonumber(field) <= upto then redis.call('HDEL', key, field) end
  end
end

-- What is noted of a message stays for as long as the event that told of it: until then somebody may have read the
-- archive before that knew.
local function drop_changes(tag, upto)
  local deleted = redis.call('HGETALL', tag .. ':deleted')
  for i = 1, #deleted, 2 do
    if tonumber(deleted[i + 1]) <= upto then redis.call('HDEL', tag .. ':deleted', deleted[i]) end
  end
  for _, field in ipairs(redis.call('HKEYS', tag .. ':edits')) do
    local id = string.match(field, '^(%d+):events$')
    local last = id and string.match(redis.call('HGET', tag .. ':edits', field), '(%d+) $')
    if last and tonumber(last) <= upto then redis.call('HDEL', tag .. ':edits', field, id) end
  end
end

-- Drops what releases before this one listed, and the offsets in senders' logs of what is let go of.
local function drop_lists(tag, upto)
  redis.call('XTRIM', tag .. ':messages', 'MINID', (upto + 1) .. '-0')
  if redis.call('XLEN', tag .. ':messages') == 0 then redis.call('DEL', tag .. ':messages') end
  for _, peer in ipairs(redis.call('SMEMBERS', tag .. ':peers')) do
    local with, from = tag .. ':with:' .. peer, tag .. ':from:' .. peer
    redis.call('XTRIM', with, 'MINID', (upto + 1) .. '-0')
    if redis.call('XLEN', with) == 0 then redis.call('DEL', with) end
    local entry = redis.call('XRANGE', from, '-', '+', 'COUNT', 1)[1]
    while entry and tonumber(entry[2][2]) <= upto do
      redis.call('XDEL', from, entry[1])
      entry = redis.call('XRANGE', from, '-', '+', 'COUNT', 1)[1]
    end
    if redis.call('XLEN', from) == 0 then redis.call('DEL', from) end
  end
end

-- Lets go of a log up to an offset, `last` being that of its last event.
local function drop_log(tag, upto, last)
  redis.call('HSET', tag .. ':head', 'let_go', upto)
  if upto >= last then
    redis.call('UNLINK', tag .. ':log')
  else
    redis.call('XTRIM', tag .. ':log', 'MINID', (upto + 1) .. '-0')
  end
  drop_upto(tag .. ':redacted', upto)
  drop_upto(tag .. ':superseded', upto)
  drop_changes(tag, upto)
  drop_lists(tag, upto)
end
