-- What the follower of logs keeps in the store. Shared by the functions of this library.
--   {archive}:dirty  set: tags of topics that were written to
--   {archive}:taken  set: those of them that the follower works on; they stay here until they are copied
--   {archive}:lease  the follower that is at work, and a name of its own; expires
--   {archive}:store  the name of this store, by which an archive knows that it belongs to it
--   {archive}:progress  hash: dirty_since and taken_since, when the first of those topics was noted (ms); follower, the
--                    name of the one at work, and at, when it last told of itself (ms); archived and trimmed, how many
--                    events were copied to SQL, and how many the store has let go of since

local function now_in_ms()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end
