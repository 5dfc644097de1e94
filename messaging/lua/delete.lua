-- delete: take a message of a room away, text and edits, and tell those who read it.
-- KEYS 1 the room's tag
-- ARGV 1 the caller's account id  2 '1' for an admin  3 the message's id  4 the caller's name as JSON
--      5 … its signer, its body, and where the log stood, as `from_past` takes them
-- Reply  {1 if it must go from the archive too}; where the log stands, as a number, if the archive must be read; refuses
--        a room the caller can't see, a message that is not there, and callers who are not its sender and to whom the
--        table of rights does not give it
-- Atomic: the change, its event and, of another's message, the audit. Repeated, it refuses. Runs when memory is full.
local function delete(keys, args)
  local tag, user, is_admin, id, name, kept_by, kept, read_at = keys[1], unpack(args, 1, 7)
  local room, refusal = admit(tag, user, is_admin)
  if not room then return refusal end
  local by, body = read_message(tag, id)
  if not by then by, body = from_past(tag, id, kept_by, kept, read_at) end
  if not by then return body or refuse('message_not_found') end
  if by ~= user then
    local refused = why_not(tag, room, user, is_admin, 'delete_message', by)
    if refused then return refuse(refused == 'forbidden' and refused or 'not_the_sender') end
  end
  take_away(tag, id, {'messages'})
  local gone = '{"id":' .. id .. ',"roomId":"' .. string.match(tag, ':(.*)}') .. '"}'
  sign(tag, user, name)
  local told = '"message":' .. gone .. ',"by":' .. name_of(user)
  note_deletion(tag, id, append(tag, topic_json(tag), 'message_deleted', '', told))
  if by ~= user then
    note_in_audit(tag, user, 'message_deleted', '"username":' .. name_of(by) .. ',"message":' .. id)
  end
  return {is_archived(tag, id)}
end
register_on_log('delete', delete, WHEN_FULL)
