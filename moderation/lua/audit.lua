-- audit: what was done to keep order in a room, the newest first.
-- KEYS 1 the room's tag
-- ARGV 1 the caller's account id  2 '1' for an admin  3 before which id, '' for the newest  4 after which id, '' for no
--      limit  5 how many at most
-- Reply  {1 if there are more, else 0; for each its id, when it was, in ms, and the rest as JSON without braces …};
--        refuses a room the caller can't see, callers to whom the table of rights does not give it, and ids that the
--        audit has not reached
-- Reads only.
local function audit(keys, args)
  local tag, user, is_admin, before, after, limit = keys[1], args[1], args[2], args[3], args[4], tonumber(args[5])
  local room, refusal = admit(tag, user, is_admin)
  if not room then return refusal end
  local refused = why_not(tag, room, user, is_admin, 'read_audit')
  if refused then return refuse(refused) end
  local last = redis.call('XREVRANGE', tag .. ':audit', '+', '-', 'COUNT', 1)[1]
  local reached = last and offset_of(last[1]) or 0
  if before ~= '' and tonumber(before) > reached + 1 then return refuse('unknown_cursor') end
  if after ~= '' and tonumber(after) > reached then return refuse('unknown_cursor') end
  local newest, oldest = before == '' and '+' or '(' .. before .. '-0', after == '' and '-' or '(' .. after .. '-0'
  if before == '0' then return {0} end
  local entries = redis.call('XREVRANGE', tag .. ':audit', newest, oldest, 'COUNT', limit + 1)
  local reply = {#entries > limit and 1 or 0}
  for i = 1, math.min(#entries, limit) do
    local id, fields = offset_of(entries[i][1]), entries[i][2]
    local by, at, body = fields[2], fields[4], fields[6]
    local told = with_names(tag, body) .. ',"by":' .. signature(tag, by)
    for _, value in ipairs{id, tonumber(at), told} do reply[#reply + 1] = value end
  end
  return reply
end
register('audit', audit, READ_ONLY)
