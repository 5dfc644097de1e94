-- list: all tables in order, and where the log stands with them.
-- KEYS 1 the list's tag
-- ARGV 1, 2 offset and epoch of a list that the caller has already
-- Reply  {offset, epoch, the tables as a JSON array}; {offset, epoch} when the caller's list is this one
-- Reads only, at one moment: every event up to the offset is in the list, and none that comes after it. Tables are
-- admins' and few; 10,000 of them take 7 ms, once for all who ask at a time.
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
  local tag, known_offset, known_epoch = keys[1], unpack(args, 1, 2)
  local head = redis.call('HMGET', tag .. ':head', 'offset', 'epoch')
  local offset, epoch = head[1] or '0', head[2] or ''
  if offset == known_offset and epoch == known_epoch then return {offset, epoch} end
  return {offset, epoch, '[' .. table.concat(values_of(tag .. ':tables', ids_in_order(tag)), ',') .. ']'}
end
register_on_log('list', list, READ_ONLY)
