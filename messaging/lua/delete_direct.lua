-- delete_direct: take a direct message out of its sender's log, and note that it is to go from its recipient's too.
-- KEYS 1 the sender's tag
-- ARGV 1 the sender's account id  2 their name as JSON  3 the recipient's account id  4 the message's id in this log
--      5 what is told of it, as a body: its id and for whom it was
-- Reply  {1 if it went now, 0 if it is not there; what waits for the recipient, as `portion` gives it; for others, as
--        `others` does}; refuses an account that was deleted and a message of somebody else
-- Atomic: the change, its event and the note. Repeated, it says what waits. Runs when memory is full.
local function delete_direct(keys, args)
  local tag, user, name, recipient, id, told = keys[1], unpack(args, 1, 5)
  if is_gone(tag) then return refuse('account_gone') end
  local by = read_said(tag, recipient, id)
  if not by then return {0, portion(tag, recipient), others(tag, recipient)} end
  if by ~= user then return refuse('not_the_sender') end
  take_away(tag, id, {'messages', 'with:' .. recipient})
  local offset = say_deleted(tag, topic_of_user(name), id, user, told)
  if recipient ~= user then owe(tag, recipient, offset, 'message_deleted', id, told) end
  return {1, portion(tag, recipient), others(tag, recipient)}
end
register_on_log('delete_direct', delete_direct, WHEN_FULL)
