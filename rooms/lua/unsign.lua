-- unsign: a deleted account leaves a log: its name goes from what it wrote, and it is no longer a member.
-- KEYS 1 the tag of the log
-- ARGV 1 the account's id
-- Reply  1
-- May be repeated. What the account still has under way is stored unsigned, also where it would be the first.
local function unsign(keys, args)
  if redis.call('EXISTS', keys[1] .. ':gone') == 0 then
    redis.call('HSET', keys[1] .. ':signers', args[1], 'null')
  end
  redis.call('HDEL', keys[1] .. ':members', args[1])
  return 1
end
register('unsign', unsign)
