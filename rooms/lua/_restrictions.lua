-- Bans and mutes, as they are imposed, lifted and listed. Shared by the functions that do; not callable by itself.
--   {room:12}:bans:order, {room:12}:mutes:order  sorted sets of `<time>-<account id>`, all scores 0: by the time at which
--                                                they were imposed

local KINDS = {
  bans = {right = 'ban', imposed = 'member_banned', lifted = 'member_unbanned', missing = 'not_banned'},
  mutes = {right = 'mute', imposed = 'member_muted', lifted = 'member_unmuted', missing = 'not_muted'},
}

local function read_restriction(entry)
  return string.match(entry, '^(%d+) (%d+) (%S+) (%S+) (.*)$')
end

-- Until when it is, and why, as JSON without braces.
local function terms_json(entry)
  local _, _, _, upto, reason = read_restriction(entry)
  return '"until":' .. upto .. ',"reason":' .. reason
end

local function restriction_json(tag, user, entry)
  local _, by, at = read_restriction(entry)
  return '{"username":' .. signature(tag, user) .. ',' .. terms_json(entry) .. ',"by":' .. signature(tag, by)
    .. ',"at":"' .. at .. '"}'
end

-- Takes a ban or a mute away, in force or over.
local function drop_restriction(tag, list, user)
  local entry = redis.call('HGET', tag .. ':' .. list, user)
  if not entry then return end
  local _, _, at = read_restriction(entry)
  redis.call('HDEL', tag .. ':' .. list, user)
  redis.call('ZREM', tag .. ':' .. list .. ':order', at .. '-' .. user)
  if redis.call('EXISTS', tag .. ':' .. list) == 0 then redis.call('HDEL', tag .. ':room', list) end
end

local SOME = 10

local function keep_restriction(tag, list, user, entry)
  for _, other in ipairs(redis.call('HRANDFIELD', tag .. ':' .. list, SOME)) do -- some that are over give room
    if not restriction(tag, list, other) then drop_restriction(tag, list, other) end
  end
  drop_restriction(tag, list, user)
  local _, _, at = read_restriction(entry)
  redis.call('HSET', tag .. ':' .. list, user, entry)
  redis.call('ZADD', tag .. ':' .. list .. ':order', 0, at .. '-' .. user)
  redis.call('HSET', tag .. ':room', list, '1')
end
