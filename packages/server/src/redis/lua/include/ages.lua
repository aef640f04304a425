-- Age classes of an admission: under 1 s, under 2 s, 4 s, 8 s …; the last is open. `show-model.ts` has the same.
local AGE_CLASSES = 12
local function ageClass(ageMs)
  local class, boundMs = 1, 1000
  while ageMs >= boundMs and class < AGE_CLASSES do class, boundMs = class + 1, boundMs * 2 end
  return class
end
