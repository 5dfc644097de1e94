-- restrictions: some of the bans or mutes of a room that are in force, by the time at which they were imposed.
-- KEYS 1 the room's tag
-- ARGV 1 the caller's account id  2 '1' for an admin  3 the list: bans or mutes  4 the place after which they are, '' to
--      begin  5 how many at most
-- Reply  {the place after which there are more, '' for none; each as JSON …}; refuses a room the caller can't see, and
--        callers who may not impose them
-- Reads only. What is over is left out, so there may be fewer.
local function restrictions(keys, args)
  local tag, user, is_admin, list, after, limit = keys[1], args[1], args[2], args[3], args[4], tonumber(args[5])
  local room, refusal = admit(tag, user, is_admin)
  if not room then return refusal end
  local refused = why_not(tag, room, user, is_admin, KINDS[list].right)
  if refused then return refuse(refused) end
  local oldest = after == '' and '-' or '(' .. after
  local entries = redis.call('ZRANGEBYLEX', tag .. ':' .. list .. ':order', oldest, '+', 'LIMIT', 0, limit + 1)
  local reply = {#entries > limit and entries[limit] or ''}
  for i = 1, math.min(#entries, limit) do
    local someone = read_entry(entries[i])
    local entry = restriction(tag, list, someone)
    if entry then reply[#reply + 1] = restriction_json(tag, someone, entry) end
  end
  return reply
end
register('restrictions', restrictions, READ_ONLY)
