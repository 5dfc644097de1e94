-- add: put a table into the list, and tell those who read it.
-- KEYS 1 the list's tag
-- ARGV 1 after which id, -1 for the beginning, '' for the end  2 the table's id, '' to pick one  3 its name as JSON
--      4 its participants  5 the caller's account id  6 a retry key, '' for none  7 a hash of the request
--      8 seconds to remember the key
-- Reply  the fields of the event: after_id and table; refuses an id that is taken, a place that is gone, and a retry key
--        that came with another request
-- Atomic: the change, its event and the key. Repeated with its retry key it answers as the first time.
local function add(keys, args)
  local tag, after, id, name, participants, user, retry_key, request, lifetime = keys[1], unpack(args, 1, 8)
  local earlier = recall_answer(tag, user, retry_key, request)
  if earlier then return earlier end
  if id ~= '' and read_table(tag, id) then return refuse('table_id_taken') end
  if after == '' then
    after = neighbour(tag, ':prev', ENDS)
  elseif after ~= ENDS and not read_table(tag, after) then
    return refuse('after_id_not_found')
  end
  if id == '' then id = fresh_id(tag) else note_id(tag, id) end
  local following = neighbour(tag, ':next', after)
  link(tag, after, id)
  link(tag, id, following)
  local body = '"after_id":' .. after .. ',"table":' .. write_table(tag, id, name, participants)
  announce(tag, 'table_added', body)
  remember_answer(tag, user, retry_key, request, lifetime, body)
  return body
end
register_on_log('add', add)
