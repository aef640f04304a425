-- When was this queue number admitted? Returns the step's serving number and its time, or nil when the number waits or
-- its step is gone. Steps are kept until their window has passed; `expiredThrough` covers all older ones.
local function findStep(stepsKey, number)
  local found = redis.call('ZRANGE', stepsKey, number, '+inf', 'BYSCORE', 'LIMIT', 0, 1)[1]
  if not found then return nil end
  local serving, atMs = string.match(found, '^(%d+):(%d+)$')
  return serving, tonumber(atMs)
end
