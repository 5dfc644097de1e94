-- edit: give a message of a room another text, and tell those who read it.
-- KEYS 1 the room's tag
-- ARGV 1 the caller's account id  2 '1' for an admin  3 the message's id  4 the new text as JSON  5 the time
--      6 … its signer, its body, and where the log stood, as `from_past` takes them
-- Reply  the message as JSON; where the log stands, as a number, if the archive must be read; refuses a room the caller
--        can't see, who is muted there, a message that is not there or not their own
-- Atomic: the change and its event. Repeated with the text it has, it changes and says nothing.
local function edit(keys, args)
  local tag, user, is_admin, id, text, time, kept_by, kept, read_at = keys[1], unpack(args, 1, 8)
  local room, refusal = admit(tag, user, is_admin)
  if not room then return refusal end
  refusal = refuse_muted(tag, room, user, is_admin)
  if refusal then return refusal end
  local by, body = read_message(tag, id)
  if not by then by, body = from_past(tag, id, kept_by, kept, read_at) end
  if not by then return body or refuse('message_not_found') end
  if by ~= user then return refuse('not_the_sender') end
  local current, changed = with_text(tag, id, body, text, time)
  if changed then change(tag, topic_json(tag), id, by, current) end
  return fill(current, id, signature(tag, by))
end
register_on_log('edit', edit)
