-- complete: what events from the archive lack, and the archive does not know or may not know yet.
-- KEYS 1 the topic's tag
-- ARGV 1 how many account ids follow  2 … the account ids of signers, then the offsets of messages
-- Reply  {{name as JSON, or nothing for one that is none, …}; for each message the body that it has now, '-' if it was
--        deleted or is older than the topic keeps it, or '' if nothing is known here}
-- Reads only, at one moment.
local function complete(keys, args)
  local tag, count, signers, messages = keys[1], tonumber(args[1]), {}, {}
  for i = 2, #args do
    local list = i <= count + 1 and signers or messages
    list[#list + 1] = args[i]
  end
  local deleted, edits = values_of(tag .. ':deleted', messages), values_of(tag .. ':edits', messages)
  local changes, floor = {}, floor_of(tag)
  for i = 1, #messages do
    changes[i] = (deleted[i] or tonumber(messages[i]) <= floor) and '-' or edits[i] or ''
  end
  return {values_of(tag .. ':signers', signers), changes}
end
register_on_log('complete', complete, READ_ONLY)
