-- The time that admission windows go by, which steps are written in. It stands still while nobody could use a window: while
-- the sale is paused, and from when a buyer found all places taken until one is free. `tick` lets it go on.
local function windowTime(nowMs, stoppedMs, stoppedAtMs)
  local stopped, atMs = tonumber(stoppedMs or 0), tonumber(stoppedAtMs or 0)
  if atMs > 0 then stopped = stopped + math.max(0, nowMs - atMs) end
  return nowMs - stopped
end
