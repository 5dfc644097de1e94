-- create: make a room under an id that was claimed for it.
-- KEYS 1 the room's tag
-- ARGV 1 a token that tells this creation from others  2 the owner's account id  3 their name as JSON
--      4 the room's name as JSON  5 the key of the name  6 the number of the claim on it  7 '1' for members only
--      8 the time
-- Reply  {'made', the room as JSON, notices as `with_notices` gives them}, also when this creation is repeated;
--        {'taken', its owner's account id} when another creation made the room; {'taken', ''} when a room that is being
--        renamed takes the name; {'gone', ''} when the room existed and was deleted; refuses an owner whose account was
--        deleted meanwhile
-- Atomic: of two who try to make the room under one claim, one does.
local function create(keys, args)
  local tag, token, owner, owners_name, name, key, claim, members_only, time = keys[1], unpack(args, 1, 8)
  local gone = redis.call('GET', tag .. ':gone')
  if gone then return {gone == '' and 'taken' or 'gone', ''} end
  local room = read_room(tag)
  if not room then
    if redis.call('HGET', tag .. ':signers', owner) == 'null' then return refuse('account_gone') end
    redis.call('HSET', tag .. ':room', 'token', token, 'owner', owner, 'name', name, 'key', key, 'claim', claim,
      'members_only', members_only, 'created_at', time)
    let_in(tag, owner, time)
    redis.call('HSET', tag .. ':signers', owner, owners_name)
    redis.call('HSET', tag .. ':head', 'offset', 0)
    begin_log(tag)
    note(tag, 0, owner, 'room_added', owner)
    room = read_room(tag)
  elseif room.token ~= token then
    return {'taken', tonumber(room.owner)}
  end
  return with_notices(tag, {'made', room_json(tag, room)})
end
register_on_log('create', create)
