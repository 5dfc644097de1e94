-- update: change a room's name, who may see it, its slow mode or how long it keeps messages, and tell those who read it.
-- KEYS 1 the room's tag
-- ARGV 1 the caller's account id  2 '1' for an admin  3 the new name as JSON, '' to leave it  4 the key of the new name
--      5 '1' members only, '0' open, '' to leave it  6 the caller's name as JSON  7 the token of the rename
--      8 the number of the claim on the new name  9 seconds of slow mode, 0 for none, '' to leave it
--      10 for how many days messages stay, `null` for ever, '' to leave it
-- Reply  {the room as JSON, the key of the name it had, the number of its claim on that}; refuses a room the caller
--        can't see or does not own, or whose slow mode is not theirs to change, and a name that was not intended last
-- Atomic: the change, its event and, of slow mode, the audit. Repeated with nothing left to change, it says nothing.
local function update(keys, args)
  local tag, user, is_admin, name, key, members_only, callers_name, token, claim, slow_mode, days =
    keys[1], unpack(args, 1, 10)
  local room, refusal = admit(tag, user, is_admin)
  if not room then return refusal end
  local changes_room = name ~= '' or members_only ~= '' or days ~= ''
  if changes_room and room.owner ~= user and is_admin ~= '1' then return refuse('not_the_owner') end
  local refused = slow_mode ~= '' and why_not(tag, room, user, is_admin, 'slow_mode')
  if refused then return refuse(refused) end
  if name ~= '' and key ~= room.key and room.intent ~= token then return refuse('room_changed') end
  local before, claim_before, changed = room.key, room.claim, false
  if name ~= '' and name ~= room.name then
    redis.call('HSET', tag .. ':room', 'name', name)
    changed = true
  end
  if name ~= '' then redis.call('HSET', tag .. ':room', 'key', key, 'claim', claim) end
  if name ~= '' and room.intent == token then redis.call('HDEL', tag .. ':room', 'pending', 'intent') end
  if members_only ~= '' and members_only ~= room.members_only then
    redis.call('HSET', tag .. ':room', 'members_only', members_only)
    changed = true
  end
  if days ~= '' and days ~= room.retention_days then
    redis.call('HSET', tag .. ':room', 'retention_days', days)
    changed = true
  end
  local slows = slow_mode ~= '' and slow_mode ~= (room.slow_mode or '0')
  if slows and slow_mode == '0' then redis.call('HDEL', tag .. ':room', 'slow_mode') end
  if slows and slow_mode ~= '0' then redis.call('HSET', tag .. ':room', 'slow_mode', slow_mode) end
  room = read_room(tag)
  if changed or slows then
    sign(tag, user, callers_name)
    if slows then note_in_audit(tag, user, 'room_updated', '"slow_mode":' .. slow_mode) end
    local told = room_json(tag, room, room.owner ~= '' and name_of(room.owner) or 'null')
    append(tag, topic_json(tag), 'room_updated', '', '"room":' .. told .. ',"by":' .. name_of(user))
  end
  return {room_json(tag, room), before, claim_before or ''}
end
register_on_log('update', update)
