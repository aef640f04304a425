-- The phase of a sale now: what is stored, moved on by the sale's own times. `soldOut` is open with nothing available.
local function phaseNow(stored, opensAtMs, closesAtMs, nowMs)
  if stored == 'closed' or nowMs >= closesAtMs then return 'closed' end
  if stored == 'scheduled' and nowMs >= opensAtMs then return 'open' end
  return stored
end
