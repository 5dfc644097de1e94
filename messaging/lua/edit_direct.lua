-- edit_direct: give a direct message another text in its sender's log, and note that its recipient is to have it too.
-- KEYS 1 the sender's tag
-- ARGV 1 the sender's account id  2 his name as JSON  3 the recipient's account id  4 the message's id in this log
--      5 the new text as JSON  6 the time
-- Reply  {the message as JSON; what waits for the recipient, as `portion` gives it; for others, as `others` does};
--        refuses an account that was deleted, a message that was not said between the two, or not by this one
-- Atomic: the change, its event and the note. Repeated with the text it has, it changes nothing and says what waits.
local function edit_direct(keys, args)
  local tag, user, recipient, id = keys[1], args[1], args[3], args[4]
  if redis.call('EXISTS', tag .. ':gone') == 1 then return refuse('account_gone') end
  local by, body = read_said(tag, recipient, id)
  if not by then return refuse('message_not_found') end
  if by ~= user then return refuse('not_the_sender') end
  local current, changed = with_text(tag, id, body, args[5], args[6])
  if changed then
    local offset = change(tag, '"user:' .. string.sub(args[2], 2), id, user, current)
    if recipient ~= user then owe(tag, recipient, offset, 'message_edited', id, current) end
  end
  return {fill(current, id, signature(tag, user)), portion(tag, recipient), others(tag, recipient)}
end
register('edit_direct', edit_direct)
