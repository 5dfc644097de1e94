-- history: a page of messages, oldest first, as they are now, of what the log has.
-- KEYS 1 the tag of a room or a user
-- ARGV 1 the caller's account id  2 '1' for an admin  3 which list to read: messages, or with:<account id>
--      4 before which id, '' for the end  5 after which id, '' for the newest  6 how many at most
--      7 how many bytes at most, of which the last message may be over
-- Reply  {1 if the log has more beyond the page, else 0; where to go on if it was not read to its end, as an id to be
--        before or after, else ''; the offset up to which the log was let go of; that up to which all is gone; the messages as JSON …}. Where the page
--        begins before that offset and is read forwards, it has none: what is there comes first. Refuses a room the
--        caller can't see and ids the log has not reached
-- Reads only, at one moment.
local function history(keys, args)
  local tag, user, is_admin, list, before, after, limit, most = keys[1], unpack(args, 1, 7)
  local refusal = refusal_of(tag, user, is_admin)
  if refusal then return refusal end
  local head = redis.call('HMGET', tag .. ':head', 'offset', 'let_go', 'floor')
  local last, let_go, floor = tonumber(head[1] or 0), tonumber(head[2] or 0), tonumber(head[3] or 0)
  if before ~= '' and tonumber(before) > last + 1 then return refuse('unknown_cursor') end
  if after ~= '' and tonumber(after) > last then return refuse('unknown_cursor') end
  if before == '0' or (after ~= '' and tonumber(after) < let_go) then return {0, '', let_go, floor} end
  local newest, oldest = before == '' and '+' or '(' .. before .. '-0', after == '' and '-' or '(' .. after .. '-0'
  limit = tonumber(limit)
  local found, place = find_messages(tag, list, oldest, newest, limit, after == '')
  local reply, ids, fields_of = {#found > limit and 1 or 0, place or '', let_go, floor}, {}, {}
  for i = 1, math.min(#found, limit) do
    ids[i] = found[i][1]
    fields_of[ids[i]] = found[i][2]
  end
  table.sort(ids)
  local edited, names = {}, {}
  if redis.call('EXISTS', tag .. ':edits') == 1 then edited = values_of(tag .. ':edits', ids) end
  local messages, size, first, step = {}, 0, 1, 1
  if after == '' then first, step = #ids, -1 end
  for i = first, step == 1 and #ids or 1, step do -- those nearest to the cursor come first
    if size >= tonumber(most) then
      reply[1] = 1
      break
    end
    local id = ids[i]
    local by, body = fields_of[id][4], fields_of[id][6]
    if not names[by] then names[by] = signature(tag, by) end
    local message = fill(edited[i] or message_in(body), id, names[by])
    messages[#messages + 1], size = message, size + #message
  end
  for i = 1, #messages do reply[i + 4] = messages[step == 1 and i or #messages + 1 - i] end
  return reply
end
register_on_log('history', history, READ_ONLY)
