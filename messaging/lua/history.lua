-- history: a page of messages, oldest first, as they are now.
-- KEYS 1 the tag of a room or a user
-- ARGV 1 the caller's account id  2 '1' for an admin  3 which index to read: messages, or with:<account id>
--      4 before which id, '' for the end  5 after which id, '' for the newest  6 how many at most
-- Reply  {'1' if there are more beyond the page, else '0'; the messages as JSON …}; refuses a room the caller can't see
--        and ids the log has not reached
-- Reads only, at one moment.
local function entries_between(tag, ids)
  local first, last = ids[1], ids[#ids]
  local entries = {}
  if last - first < 2 * #ids then
    for _, entry in ipairs(redis.call('XRANGE', tag .. ':log', first .. '-0', last .. '-0')) do
      entries[offset_of(entry[1])] = entry[2]
    end
  else
    for _, id in ipairs(ids) do
      entries[id] = redis.call('XRANGE', tag .. ':log', id .. '-0', id .. '-0')[1][2]
    end
  end
  return entries
end

local function history(keys, args)
  local tag, before, after, limit = keys[1], args[4], args[5], tonumber(args[6])
  if string.sub(tag, 1, 6) == '{room:' and not admit(tag, args[1], args[2]) then return refuse('room_not_found') end
  local last = tonumber(redis.call('HGET', tag .. ':head', 'offset') or 0)
  if before ~= '' and tonumber(before) > last + 1 then return refuse('unknown_cursor') end
  if after ~= '' and tonumber(after) > last then return refuse('unknown_cursor') end
  local index = tag .. ':' .. args[3]
  if before == '0' then return {'0'} end
  local newest, oldest = before == '' and '+' or '(' .. before .. '-0', after == '' and '-' or '(' .. after .. '-0'
  local found
  if after == '' then
    found = redis.call('XREVRANGE', index, newest, oldest, 'COUNT', limit + 1)
  else
    found = redis.call('XRANGE', index, oldest, newest, 'COUNT', limit + 1)
  end
  local more = #found > limit and '1' or '0'
  local ids = {}
  for i = 1, math.min(#found, limit) do ids[i] = offset_of(found[i][1]) end
  if #ids == 0 then return {more} end
  table.sort(ids)
  local entries, edited, names = entries_between(tag, ids), {}, {}
  if redis.call('EXISTS', tag .. ':edits') == 1 then edited = redis.call('HMGET', tag .. ':edits', unpack(ids)) end
  local reply = {more}
  for i, id in ipairs(ids) do
    local by, body = entries[id][4], entries[id][6]
    if not names[by] then names[by] = signature(tag, by) end
    reply[i + 1] = fill(edited[i] or string.sub(body, FIELD), id, names[by])
  end
  return reply
end
register('history', history, READ_ONLY)
