-- move: put a table of the list at another place, and tell those who read it: that it is gone, and where it is now.
-- KEYS 1 the list's tag
-- ARGV 1 the table's id  2 after which id, -1 for the beginning
-- Reply  1 if it was moved, 0 if it is there already; refuses an id that is not in the list and a place that is gone
-- Atomic: the change and both events, so there is no list without the table for longer than it takes to read them. May
-- be repeated.
local function move(keys, args)
  local tag, id, after = keys[1], unpack(args, 1, 2)
  local json = read_table(tag, id)
  if not json then return refuse('table_not_found') end
  if after ~= ENDS and not read_table(tag, after) then return refuse('after_id_not_found') end
  if after == id or neighbour(tag, ':prev', id) == after then return 0 end
  link(tag, neighbour(tag, ':prev', id), neighbour(tag, ':next', id))
  local following = neighbour(tag, ':next', after)
  link(tag, after, id)
  link(tag, id, following)
  announce(tag, 'table_removed', '"id":' .. id)
  announce(tag, 'table_added', '"after_id":' .. after .. ',"table":' .. json)
  return 1
end
register_on_log('move', move)
