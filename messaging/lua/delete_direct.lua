-- delete_direct: take a direct message out of its sender's log, and note that it is to go from its recipient's too.
-- KEYS 1 the sender's tag
-- ARGV 1 the sender's account id  2 their name as JSON  3 the recipient's account id  4 the message's id in this log
--      5 what is told of it, as a body: its id and for whom it was
--      6 … its signer, its body, and where the log stood, as `from_past` takes them
-- Reply  {{1 if it went now, 0 if it is not there; 1 if it must go from the archive too}; what waits for the recipient, as
--        `portion` gives it; for others, as `others` does}; where the log stands, as a number, if the archive must be
--        read; refuses an account that was deleted and a message of somebody else
-- Atomic: the change, its event and the note. Repeated, it says what waits. Runs when memory is full.
local function delete_direct(keys, args)
  local tag, user, name, recipient, id, told, kept_by, kept, read_at = keys[1], unpack(args, 1, 8)
  if is_gone(tag) then return refuse('account_gone') end
  local by, body = read_said(tag, recipient, id)
  if not by then by, body = from_past(tag, id, kept_by, kept, read_at) end
  if not by then return body or {{0, 0}, portion(tag, recipient), others(tag, recipient)} end
  if by ~= user then return refuse('not_the_sender') end
  take_away(tag, id, {'messages', 'with:' .. recipient})
  local offset = say_deleted(tag, topic_of_user(name), id, user, told)
  note_deletion(tag, id, offset)
  if recipient ~= user then owe(tag, recipient, offset, 'message_deleted', id, told) end
  return {{1, is_archived(tag, id)}, portion(tag, recipient), others(tag, recipient)}
end
register_on_log('delete_direct', delete_direct, WHEN_FULL)
