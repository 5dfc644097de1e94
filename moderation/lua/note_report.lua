-- note_report: note in a room's audit that a report was closed.
-- KEYS 1 the room's tag
-- ARGV 1 the caller's account id  2 '1' for an admin  3 the caller's name as JSON  4 the account id of whoever wrote the
--      message, '' if that is not known  5 the report's id  6 the state that it has now  7 the note as JSON
-- Reply  1; refuses a room the caller can't see, callers to whom the table of rights does not give it, and those who
--        wrote the message themselves
-- Runs when memory is full.
local function note_report(keys, args)
  local tag, user, is_admin, name, someone, report, state, remark = keys[1], unpack(args, 1, 7)
  local room, refusal = admit(tag, user, is_admin)
  if not room then return refusal end
  local refused = why_not(tag, room, user, is_admin, 'read_reports', someone ~= '' and someone or nil)
  if refused then return refuse(refused) end
  sign(tag, user, name)
  local about = someone ~= '' and name_of(someone) or 'null'
  note_in_audit(tag, user, 'report_' .. state, '"username":' .. about .. ',"report":' .. report .. ',"note":' .. remark)
  return 1
end
register('note_report', note_report, WHEN_FULL)
