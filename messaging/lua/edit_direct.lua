-- edit_direct: give a direct message another text in its sender's log, and note that its recipient is to have it too.
-- KEYS 1 the sender's tag
-- ARGV 1 the sender's account id  2 their name as JSON  3 the recipient's account id  4 the message's id in this log
--      5 the new text as JSON  6 the time  7 … its signer, its body, and where the log stood, as `from_past` takes them
-- Reply  {the message as JSON; what waits for the recipient, as `portion` gives it; for others, as `others` does}; where
--        the log stands, as a number, if the archive must be read; refuses an account that was deleted, one that the
--        recipient blocks, a message that was not said between the two, or not by this user
-- Atomic: the change, its event and the note. Repeated with the text it has, it changes nothing and says what waits.
local function edit_direct(keys, args)
  local tag, user, name, recipient, id, text, time, kept_by, kept, read_at = keys[1], unpack(args, 1, 9)
  if is_gone(tag) then return refuse('account_gone') end
  local by, body = read_said(tag, recipient, id)
  if not by then by, body = from_past(tag, id, kept_by, kept, read_at) end
  if not by then return body or refuse('message_not_found') end
  if by ~= user then return refuse('not_the_sender') end
  local current, changed = with_text(tag, id, body, text, time)
  if changed then
    if is_blocked_by(tag, recipient) then return refuse('blocked') end
    local offset = change(tag, topic_of_user(name), id, user, current)
    if recipient ~= user then owe(tag, recipient, offset, 'message_edited', id, current) end
  end
  return {fill(current, id, signature(tag, user)), portion(tag, recipient), others(tag, recipient)}
end
register_on_log('edit_direct', edit_direct)
