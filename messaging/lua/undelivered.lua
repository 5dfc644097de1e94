-- undelivered: what is not known to be in the logs of those it concerns, for some of them.
-- KEYS 1 the sender's tag
-- Reply  {recipient's account id, what waits for them, as `portion` gives it; …}
-- Reads only.
local function undelivered(keys)
  return others(keys[1], '')
end
register('undelivered', undelivered, READ_ONLY)
