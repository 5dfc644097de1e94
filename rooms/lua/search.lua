-- search: names by the words in them, in the order of words, then of names.
-- KEYS 1 the index's tag
-- ARGV 1 how the word begins  2 the entry after which to go on, '' to begin  3 how many at most
-- Reply  {1; for each an entry and the id of the room that holds the name, '' for none}; {0} while words of some names
--        are not listed
-- Reads only.
--   {rooms}:words   sorted set, by bytes: for each word of each name that is claimed, the word, \0, the key of the name
--   {rooms}:listed  the number of the claim up to which the words of all names are listed
local function search(keys, args)
  local index, word, after, most = keys[1], args[1], args[2], args[3]
  if (redis.call('GET', index .. ':listed') or '0') ~= (redis.call('GET', index .. ':claims') or '0') then return {0} end
  local from, to = after == '' and '[' .. word or '(' .. after, '(' .. word .. '\255'
  local reply = {1}
  for _, entry in ipairs(redis.call('ZRANGEBYLEX', index .. ':words', from, to, 'LIMIT', 0, most)) do
    local held = redis.call('HGET', index .. ':names', string.match(entry, '%z(.*)$'))
    reply[#reply + 1] = entry
    reply[#reply + 1] = held and string.match(held, '^%d+') or ''
  end
  return reply
end
register('search', search, READ_ONLY)
