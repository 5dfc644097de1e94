-- lease: give a process some of the tokens of a bucket, to hand out by itself.
-- KEYS 1 the bucket
-- ARGV 1 tokens that come back in a minute  2 how many there are at most  3 the holder: a name of the process' own
--      4 how many it still holds  5 how many fewer the bucket could have been filled to, because of what the holder has
--      held since it last asked, as `Held.peak` has it  6 how many it is given at most  7 how long it may hold them (ms)
-- Reply  {how many it is given now; if none, how long until there is one (ms)}
-- Atomic: the bucket and what all holders have are never more than ARGV 2 together. What a lost answer gave counts as
-- held until it lapses. Several holders are left half of the bucket to take from.
--   the bucket is a text: tokens in it, when that was (ms), then for each holder its name, what it holds, until when (ms)
local function milliseconds()
  local now = redis.call('TIME')
  return now[1] * 1000 + math.floor(now[2] / 1000)
end

local function lease(keys, args)
  local bucket, holder = keys[1], args[3]
  local per_minute, burst, _, left, peak, portion, lasts = unpack(args, 1, 7)
  local rate, now = tonumber(per_minute) / 60000, milliseconds()
  burst, left, lasts = tonumber(burst), tonumber(left), tonumber(lasts)

  local level, at, rest = string.match(redis.call('GET', bucket) or '', '^(%S+) (%d+)(.*)$')
  local held, missing, others = 0, tonumber(peak), {}
  for name, count, ends in string.gmatch(rest or '', ' (%S+) (%d+) (%d+)') do
    if name ~= holder then
      missing = missing + math.max(0, count - math.max(0, now - ends) * rate)
      if tonumber(ends) > now then
        held = held + count
        others[#others + 1] = ' ' .. name .. ' ' .. count .. ' ' .. ends
      end
    end
  end
  local tokens = math.min(burst - missing, level and level + math.max(0, now - at) * rate or burst)

  local given = math.max(1, math.min(tonumber(portion), math.floor(burst / 2) - held - left))
  given = math.max(0, math.min(given, math.floor(tokens)))
  local own = string.format(' %s %.0f %.0f', holder, left + given, now + lasts)
  local text = string.format('%.3f %.0f', tokens - given, now) .. own .. table.concat(others)
  redis.call('SET', bucket, text, 'PX', math.ceil(lasts + burst / rate))
  return {given, given > 0 and 0 or math.ceil((1 - tokens) / rate)}
end
register('lease', lease)
