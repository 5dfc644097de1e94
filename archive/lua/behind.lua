-- behind: how many events of some logs are not archived yet.
-- KEYS 1 … the topics' tags; on a cluster, of one slot
-- Reply  the number
-- Reads only.
local function behind(tags)
  local number = 0
  for _, tag in ipairs(tags) do
    local head = redis.call('HMGET', tag .. ':head', 'offset', 'archived')
    number = number + math.max(tonumber(head[1] or 0) - tonumber(head[2] or 0), 0)
  end
  return number
end
register('behind', behind, READ_ONLY)
