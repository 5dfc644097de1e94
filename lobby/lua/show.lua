-- show: one table.
-- KEYS 1 the list's tag
-- ARGV 1 the table's id
-- Reply  the table as JSON; refuses an id that is not in the list
-- Reads only.
local function show(keys, args)
  local tag, id = keys[1], args[1]
  return read_table(tag, id) or refuse('table_not_found')
end
register_on_log('show', show, READ_ONLY)
