-- last: the id that was given last.
-- KEYS 1 the index's tag
-- Reply  the id, 0 before the first
-- Reads only.
local function last(keys)
  return tonumber(redis.call('GET', keys[1] .. ':last') or 0)
end
register('last', last, READ_ONLY)
