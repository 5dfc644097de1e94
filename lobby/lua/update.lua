-- update: change a table in its place, and tell those who read the list.
-- KEYS 1 the list's tag
-- ARGV 1 the table's id  2 its name as JSON, '' to leave it  3 its participants, '' to leave them
-- Reply  the field of the event: table; refuses an id that is not in the list
-- Atomic: the change and its event. May be repeated; each time is told.
local function update(keys, args)
  local tag, id = keys[1], args[1]
  local before = read_table(tag, id)
  if not before then return refuse('table_not_found') end
  local name, participants = split_table(before)
  if args[2] ~= '' then name = args[2] end
  if args[3] ~= '' then participants = args[3] end
  local body = '"table":' .. write_table(tag, id, name, participants)
  announce(tag, 'table_updated', body)
  return body
end
register('update', update)
