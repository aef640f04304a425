#!lua
-- Second half of a tick: moves the serving number on by so many people. It never goes back, never passes the last number drawn,
-- moves only while the sale is open, and admits nobody while all places inside are taken, whatever the caller computed. More may
-- be admitted than there are places, because not all come; `take-hold` lets no more than `maxActive` in.
-- KEYS  sale steps remaining departed
-- ARGV  epoch nowMs node fence expectedServing admit ghostsAtMost pendingAtMost
-- REPLY {'advanced', serving, admitted} {'stale' | 'refused' | 'wrongEpoch' | 'missing', serving, 0}
-- Numbers whose buyers left (ghosts) are passed over and count for nothing. One call passes at most `admit` + `ghostsAtMost`
-- numbers: taking ghosts away is what costs time. What was decided for another number of pending buyers, or for another
-- `maxActive`, is refused: `pendingAtMost` is how many there may be then.
local sale, steps, remaining, departed = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local nowMs, node, fence, expected, admit = tonumber(ARGV[2]), ARGV[3], ARGV[4], tonumber(ARGV[5]), tonumber(ARGV[6])
local ghostsAtMost, pendingAtMost = tonumber(ARGV[7]), tonumber(ARGV[8])
-- @include windows

local s = redis.call('HMGET', sale, 'epoch', 'leaseHolder', 'fence', 'serving', 'drawn', 'pending', 'inside', 'maxActive',
  'phase', 'windowsStoppedMs', 'windowsStoppedAtMs')
if not s[1] then return {'missing', 0, 0} end
local serving = tonumber(s[4])
if s[1] ~= ARGV[1] then return {'wrongEpoch', serving, 0} end
if s[2] ~= node or s[3] ~= fence or serving ~= expected then return {'stale', serving, 0} end

local drawn = tonumber(s[5])
local function peopleUpTo(number)
  return number - serving - redis.call('ZCOUNT', departed, '(' .. serving, number)
end
local target = math.min(drawn, serving + admit)
if peopleUpTo(target) < target - serving then
  -- Ghosts among them: the lowest number that is enough, or the highest that may be reached. By halving, because counting is
  -- cheap however many they are.
  local tooFew = target
  target = math.min(drawn, target + ghostsAtMost)
  while target - tooFew > 1 do
    local middle = math.floor((tooFew + target) / 2)
    if peopleUpTo(middle) >= admit then target = middle else tooFew = middle end
  end
end
if admit <= 0 or target <= serving or s[9] ~= 'open' then return {'refused', serving, 0} end
local admitted = peopleUpTo(target)
if admitted > 0 and tonumber(s[7]) >= tonumber(s[8]) then return {'refused', serving, 0} end
if tonumber(s[6]) + admitted > pendingAtMost then return {'refused', serving, 0} end

redis.call('HSET', sale, 'serving', target)
redis.call('ZREMRANGEBYSCORE', departed, '(' .. serving, target)
redis.call('HINCRBY', sale, 'seq', 1)
-- Nobody's numbers need no step.
if admitted == 0 then return {'advanced', target, 0} end
redis.call('ZADD', steps, target, target .. ':' .. string.format('%.0f', windowTime(nowMs, s[10], s[11])))
redis.call('HSET', remaining, target, admitted)
redis.call('HINCRBY', sale, 'pending', admitted)
return {'advanced', target, admitted}
