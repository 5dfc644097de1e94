-- retract: take back a direct message whose recipient was deleted before it came, so that it is not stored at all.
-- KEYS 1 the sender's tag
-- ARGV 1 the sender's account id  2 their name as JSON  3 the recipient's account id  4 the message's id in this log
--      5 what is told of it, as a body: its id and for whom it was  6 the retry key it came with, '' for none
-- Reply  1 if it was there
-- Atomic: the message, its event and the key. May be repeated.
local function retract(keys, args)
  local tag, user, recipient, id = keys[1], args[1], args[3], args[4]
  if args[6] ~= '' then redis.call('DEL', retry_record(tag, user, args[6])) end
  if not read_said(tag, recipient, id) and not is_past(tag, id) then return 0 end
  take_away(tag, id, {'messages', 'with:' .. recipient})
  note_deletion(tag, id, say_deleted(tag, '"user:' .. string.sub(args[2], 2), id, user, args[5]))
  return 1
end
register('retract', retract)
