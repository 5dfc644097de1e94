-- delete: end a room, tell those who read it, and leave what is needed to put the index and its members' lists right.
-- KEYS 1 the room's tag
-- ARGV 1 the caller's account id  2 '1' for an admin  3 the caller's name as JSON
-- Reply  {'deleted', the key of the name it had, {those who have it on their list, as `leaving` gives them}, 1 if the
--        archive may have its log}; {'gone', …} the same when it was deleted before; {'waits', notices, as `with_notices`
--        gives them} when these must be said first: then it is to be called again; refuses a room the caller can't see or
--        does not own
-- Atomic: from here on there is no room. May be repeated. Runs when memory is full. The event of the deletion is all that
-- is left of its log, for an hour: a process that was cut off from the store while it was announced finds it there.
local LAST_WORDS = 3600

local function delete(keys, args)
  local tag, user, is_admin, name = keys[1], unpack(args, 1, 3)
  local gone = redis.call('GET', tag .. ':gone')
  local is_archived = redis.call('HEXISTS', tag .. ':head', 'archived')
  if gone then return {'gone', gone, still_leaving(tag), is_archived} end
  local room, refusal = admit(tag, user, is_admin)
  if not room then return refusal end
  if room.owner ~= user and is_admin ~= '1' then return refuse('not_the_owner') end
  local waiting = with_notices(tag, {'waits'})
  if #waiting > 1 then return waiting end
  local id = string.match(tag, ':(.*)}')
  if redis.call('EXISTS', tag .. ':members') == 1 then
    redis.call('RENAME', tag .. ':members', tag .. ':leaving')
  end
  redis.call('HSET', tag .. ':leaving', room.owner, '') -- on whose list it is, also without them in it
  redis.call('EXPIRE', tag .. ':leaving', MONTH)
  local parts = {
    'room', 'order', 'joined', 'signers', 'redacted', 'superseded', 'messages', 'edits', 'deleted', 'notices', 'news',
    'log', 'roles', 'bans', 'bans:order', 'mutes', 'mutes:order', 'posted', 'audit', 'import',
  }
  for _, part in ipairs(parts) do redis.call('UNLINK', tag .. ':' .. part) end
  append(tag, topic_json(tag), 'room_deleted', '', '"roomId":"' .. id .. '","by":' .. name)
  redis.call('HDEL', tag .. ':head', 'let_go', 'changed')
  redis.call('EXPIRE', tag .. ':log', LAST_WORDS)
  redis.call('EXPIRE', tag .. ':head', LAST_WORDS)
  redis.call('SET', tag .. ':gone', room.key, 'EX', MONTH)
  return {'deleted', room.key, still_leaving(tag), is_archived}
end
register_on_log('delete', delete, WHEN_FULL)
