-- may_grow: nothing, but only where there is memory for more: the store refuses the call when it would refuse a message.
-- KEYS none
-- Reply  1
-- May be repeated.
local function may_grow()
  return 1
end
register('may_grow', may_grow)
