-- history: a page of messages, oldest first, as they are now.
-- KEYS 1 the tag of a room or a user
-- ARGV 1 the caller's account id  2 '1' for an admin  3 which index to read: messages, or with:<account id>
--      4 before which id, '' for the end  5 after which id, '' for the newest  6 how many at most
-- Reply  {'1' if there are more beyond the page, else '0'; the messages as JSON …}; refuses a room the caller can't see
--        and ids the log has not reached
-- Reads only, at one moment.

-- The fields of the log's entries with these ids, by id; one reading of the log if they lie close together.
local function entries_with(tag, ids)
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
  local tag, user, is_admin, list, before, after, limit = keys[1], unpack(args, 1, 6)
  if is_hidden(tag, user, is_admin) then return refuse('room_not_found') end
  local last = tonumber(redis.call('HGET', tag .. ':head', 'offset') or 0)
  if before ~= '' and tonumber(before) > last + 1 then return refuse('unknown_cursor') end
  if after ~= '' and tonumber(after) > last then return refuse('unknown_cursor') end
  if before == '0' then return {'0'} end
  local newest, oldest = before == '' and '+' or '(' .. before .. '-0', after == '' and '-' or '(' .. after .. '-0'
  local found
  if after == '' then
    found = redis.call('XREVRANGE', tag .. ':' .. list, newest, oldest, 'COUNT', limit + 1)
  else
    found = redis.call('XRANGE', tag .. ':' .. list, oldest, newest, 'COUNT', limit + 1)
  end
  local reply, ids = {#found > tonumber(limit) and '1' or '0'}, {}
  for i = 1, math.min(#found, limit) do ids[i] = offset_of(found[i][1]) end
  if #ids == 0 then return reply end
  table.sort(ids)
  local entries, edited, names = entries_with(tag, ids), {}, {}
  if redis.call('EXISTS', tag .. ':edits') == 1 then edited = values_of(tag .. ':edits', ids) end
  for i, id in ipairs(ids) do
    local by, body = entries[id][4], entries[id][6]
    if not names[by] then names[by] = signature(tag, by) end
    reply[i + 1] = fill(edited[i] or message_in(body), id, names[by])
  end
  return reply
end
register_on_log('history', history, READ_ONLY)
