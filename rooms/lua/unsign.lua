-- unsign: a deleted account leaves a log: it is no longer a member, which those who read it are told, nor banned or
-- muted, and then its name goes from what it wrote.
-- KEYS 1 the tag of the log
-- ARGV 1 the account's id
-- Reply  1
-- May be repeated. What the account still has under way is stored unsigned, also where it would be the first. Runs when
-- memory is full.
local function unsign(keys, args)
  local tag, user = keys[1], args[1]
  if redis.call('EXISTS', tag .. ':gone') == 1 then return 1 end
  if take_out(tag, user) then
    append(tag, topic_json(tag), 'member_removed', '', '"username":' .. name_of(user) .. ',"by":null')
  end
  redis.call('HDEL', tag .. ':joined', user)
  for list in pairs(KINDS) do drop_restriction(tag, list, user) end
  redis.call('ZREM', tag .. ':posted', user)
  redis.call('HSET', tag .. ':signers', user, 'null')
  return 1
end
register_on_log('unsign', unsign, WHEN_FULL)
