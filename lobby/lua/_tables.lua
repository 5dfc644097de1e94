-- tables: the list and what is in it. Shared by the functions here; nothing of this is callable by itself.
--   {tables}:tables   hash: table id -> the table as JSON
--   {tables}:next     hash: table id -> id of the one after it
--   {tables}:prev     hash: table id -> id of the one before it
--   {tables}:last_id  the greatest id that was ever used, of those up to 2^52
--   The list is a ring with a place between its end and its beginning: -1. So what comes after -1 is the first table,
--   what comes before -1 the last, and an empty list needs no case of its own.
-- Ids are handled as text: a number of Lua shows 14 digits of its 16.

local TOPIC = '"tables"'
local ENDS = '-1'
local OWN_IDS = 4503599627370496  -- 2^52: ids that clients pick beyond it don't move the counter, so it can't run out
local KEPT = 100000  -- events, about: who missed more than these loads the list anew

local function neighbour(tag, direction, id)
  return redis.call('HGET', tag .. direction, id) or ENDS
end

local function link(tag, first, second)
  redis.call('HSET', tag .. ':next', first, second)
  redis.call('HSET', tag .. ':prev', second, first)
end

local function read_table(tag, id)
  return redis.call('HGET', tag .. ':tables', id)
end

local function write_table(tag, id, name, participants)
  local json = '{"id":' .. id .. ',"name":' .. name .. ',"participants":' .. participants .. '}'
  redis.call('HSET', tag .. ':tables', id, json)
  return json
end

-- Name and participants of a table as JSON. The last `,"participants":` is the field, whatever the name says.
local function split_table(json)
  return string.match(json, '^{"id":%d+,"name":(.*),"participants":(%d+)}$')
end

-- An id that no table has and none had; where clients filled ids beyond 2^52 one by one, the first that is free.
local function fresh_id(tag)
  local id
  repeat
    id = string.format('%.0f', redis.call('INCR', tag .. ':last_id'))
  until not read_table(tag, id)
  return id
end

local function note_id(tag, id)
  local number = tonumber(id)
  if number <= OWN_IDS and number > tonumber(redis.call('GET', tag .. ':last_id') or 0) then
    redis.call('SET', tag .. ':last_id', id)
  end
end

local function announce(tag, kind, body)
  append(tag, TOPIC, kind, '', body)
  redis.call('XTRIM', tag .. ':log', 'MAXLEN', '~', KEPT)
end
