-- list: all tables in order, and where the log stands with them.
-- KEYS 1 the list's tag
-- ARGV 1, 2 offset and epoch of a list that the caller has already
-- Reply  {offset, epoch, the tables as a JSON array}; {offset, epoch} when the caller's list is this one
-- Reads only, at one moment: every event up to the offset is in the list, and none that comes after it.
local AT_ONCE = 5000  -- values on Lua's stack, which holds 8000

local function ids_in_order(tag)
  local following, flat = {}, redis.call('HGETALL', tag .. ':next')
  for i = 1, #flat, 2 do following[flat[i]] = flat[i + 1] end
  local ids, id = {}, following[ENDS] or ENDS
  while id ~= ENDS do
    ids[#ids + 1] = id
    id = following[id]
  end
  return ids
end

local function list(keys, args)
  local tag = keys[1]
  local head = redis.call('HMGET', tag .. ':head', 'offset', 'epoch')
  local offset, epoch = head[1] or '0', head[2] or ''
  if offset == args[1] and epoch == args[2] then return {offset, epoch} end
  local ids, tables = ids_in_order(tag), {}
  for first = 1, #ids, AT_ONCE do
    local some = redis.call('HMGET', tag .. ':tables', unpack(ids, first, math.min(first + AT_ONCE - 1, #ids)))
    for _, json in ipairs(some) do tables[#tables + 1] = json end
  end
  return {offset, epoch, '[' .. table.concat(tables, ',') .. ']'}
end
register('list', list, READ_ONLY)
