-- list_words: list the words of a name, unless it was released meanwhile.
-- KEYS 1 the index's tag
-- ARGV 1 the key of the name  2 … its words
-- Reply  1
-- May be repeated.
local function list_words(keys, args)
  local index, key = keys[1], args[1]
  if redis.call('HEXISTS', index .. ':names', key) == 0 then return 1 end
  for i = 2, #args do redis.call('ZADD', index .. ':words', 0, args[i] .. '\0' .. key) end
  return 1
end
register('list_words', list_words)
