-- update: change a table in its place, and tell those who read the list.
-- KEYS 1 the list's tag
-- ARGV 1 the table's id  2 its name as JSON, '' to leave it  3 its participants, '' to leave them
-- Reply  the field of the event: table; refuses an id that is not in the list
-- Atomic: the change and its event. May be repeated; each time is told.
local function update(keys, args)
  local tag, id, name, participants = keys[1], unpack(args, 1, 3)
  local before = read_table(tag, id)
  if not before then return refuse('table_not_found') end
  local old_name, old_participants = split_table(before)
  if name == '' then name = old_name end
  if participants == '' then participants = old_participants end
  local body = '"table":' .. write_table(tag, id, name, participants)
  announce(tag, 'table_updated', body)
  return body
end
register_on_log('update', update)
