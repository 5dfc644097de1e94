-- send: store a direct message in its sender's log and note that it is to be delivered.
-- KEYS 1 the sender's tag
-- ARGV 1 the sender's account id  2 their name as JSON  3 the recipient's account id  4 the message's body
--      5 a retry key, '' for none  6 a hash of the request  7 seconds to remember the key
-- Reply  {the message as JSON; what waits for the recipient, as `portion` gives it; for others, as `others` does};
--        refuses an account that was deleted, one that the recipient blocks, and a retry key that came with another
--        request
-- Atomic: stored and noted, or neither. Repeated with its retry key it stores nothing and says what waits.
local function send(keys, args)
  local tag, sender, name, recipient, body, retry_key, request, lifetime = keys[1], unpack(args, 1, 7)
  if is_gone(tag) then return refuse('account_gone') end
  local message = recall_message(tag, sender, retry_key, request, body)
  if type(message) == 'table' then return message end
  if not message then
    if is_blocked_by(tag, recipient) then return refuse('blocked') end
    may_sign(tag, sender, name)
    local offset = append(tag, topic_of_user(name), 'direct_message', sender, FIELD .. body, 'peer', recipient)
    redis.call('SADD', tag .. ':peers', recipient)
    if recipient ~= sender then
      redis.call('SADD', tag .. ':signed', '{user:' .. recipient .. '}')
      owe(tag, recipient, offset, 'direct_message', offset, body)
    end
    message = fill(body, offset, signature(tag, sender))
    remember_message(tag, sender, retry_key, request, lifetime, body, offset)
  end
  return {message, portion(tag, recipient), others(tag, recipient)}
end
register_on_log('send', send)
