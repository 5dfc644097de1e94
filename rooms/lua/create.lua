-- create: make a room under an id that was claimed for it.
-- KEYS 1 the room's tag
-- ARGV 1 a token that tells this creation from others  2 the owner's account id  3 his name as JSON
--      4 the room's name as JSON  5 the key of the name  6 the number of the claim on it  7 '1' for members only
--      8 the time
-- Reply  {'made', the room as JSON, notices as `with_notices` gives them}, also when this creation is repeated;
--        {'taken', ''} when another made the room, or a room that is being renamed takes the name; {'gone', ''} when the room existed and was deleted; refuses an owner whose account was deleted meanwhile
-- Atomic: of two who try to make the room under one claim, one does.
local function create(keys, args)
  local tag = keys[1]
  local gone = redis.call('GET', tag .. ':gone')
  if gone then return {gone == '' and 'taken' or 'gone', ''} end
  local room = read_room(tag)
  if not room then
    if redis.call('HGET', tag .. ':signers', args[2]) == 'null' then return refuse('account_gone') end
    redis.call('HSET', tag .. ':room', 'token', args[1], 'owner', args[2], 'name', args[4], 'key', args[5],
      'claim', args[6], 'members_only', args[7], 'created_at', args[8])
    redis.call('HSET', tag .. ':members', args[2], args[8])
    redis.call('HSET', tag .. ':signers', args[2], args[3])
    redis.call('HSET', tag .. ':head', 'offset', 0, 'epoch', fresh_epoch(), 'node', this_node())
    note(tag, 0, args[2], 'room_added', args[2])
    room = read_room(tag)
  elseif room.token ~= args[1] then
    return {'taken', ''}
  end
  return with_notices(tag, {'made', room_json(tag, room)})
end
register('create', create)
