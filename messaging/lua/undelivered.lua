-- undelivered: the direct messages of a sender that are not known to be in their recipients' logs.
-- KEYS 1 the sender's tag
-- Reply  {for each, oldest first: offset, recipient's account id, body}
-- Reads only.
local function undelivered(keys)
  return flatten(outbox(keys[1]))
end
register('undelivered', undelivered, READ_ONLY)
