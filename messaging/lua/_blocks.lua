-- Blocks: who wants no direct messages from whom. Shared by the functions of this library; nothing here is callable by
-- itself. A block is kept at both ends, which lie in different slots. What the blocker's end says is so; the other end has
-- a copy, by which messages are refused in the step that would store them.
--   {user:9}:blocks      hash: account id of who is blocked -> number of the block, a blank, when; `last`: the last number
--   {user:5}:blocked_by  hash: account id of a blocker -> the number of the block, or that of its end with a minus
-- Numbers rise, so that of two changes that cross on their way to the other end the later one counts there.

local function next_number(blocks)
  local now = redis.call('TIME')
  local number = math.max(now[1] * 1000000 + now[2], tonumber(redis.call('HGET', blocks, 'last') or 0) + 1)
  number = string.format('%.0f', number)
  redis.call('HSET', blocks, 'last', number)
  return number
end

local function is_blocked_by(tag, other)
  local number = redis.call('HGET', tag .. ':blocked_by', other)
  return number and tonumber(number) > 0
end
