-- show: one table.
-- KEYS 1 the list's tag
-- ARGV 1 the table's id
-- Reply  the table as JSON; refuses an id that is not in the list
-- Reads only.
local function show(keys, args)
  return read_table(keys[1], args[1]) or refuse('table_not_found')
end
register('show', show, READ_ONLY)
