#!lua flags=allow-oom
-- First half of a tick: takes or renews the ticker's lease, lets the sale's own times move its phase, and frees the slots
-- of admitted buyers whose window has passed. Replies with what the admission controller needs.
-- KEYS  sale steps remaining departed
-- ARGV  epoch nowMs node idleBeat stepsAtMost agedStepsAtMost sampledStepsAtMost controller ratePerSecond
-- REPLY {'leader', fence, serving, drawn, pending, inside, available, perSecond, maxActive, phaseSeq, freed, mode, phase,
--        phase before, admissionMs, windowMs, shows by age 'n,n,…', pending by age 'n,n,…', controller}
--       {'follower', leaseBeat} {'wrongEpoch' | 'missing', 0}
-- No clock decides who leads: those of two servers may differ, and Redis's may jump. The leader counts `leaseBeat` up with
-- every tick. A node that has seen the same beat for as long as the lease, by its own clock, sends it as `idleBeat` ('' when
-- it has not) and takes over if the beat is still that one.
-- `controller` is the state of the leader's admission controller, kept for whoever leads next; `ratePerSecond` the buyers a
-- second it allows at present, a whole number, for those who estimate the wait ('': keep what there is).
-- `windowMs` is now in the time of the windows.
-- The fence grows with every change of leader; `advance-serving` refuses an older one, so a node that was paused and
-- wakes up cannot admit anybody on top of its successor.
local sale, steps, remaining, departed = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local nowMs, node, idleBeat, atMost = tonumber(ARGV[2]), ARGV[3], ARGV[4], tonumber(ARGV[5])
local agedAtMost, sampledAtMost, controller, ratePerSecond = tonumber(ARGV[6]), tonumber(ARGV[7]), ARGV[8], ARGV[9]
-- @include phase
-- @include windows
-- @include ages

local s = redis.call('HMGET', sale, 'epoch', 'leaseHolder', 'leaseBeat', 'fence', 'phase', 'opensAtMs', 'closesAtMs',
  'admissionMs', 'serving', 'drawn', 'pending', 'inside', 'available', 'perSecond', 'maxActive', 'phaseSeq', 'mode',
  'windowsStoppedMs', 'windowsStoppedAtMs', 'controller')
if not s[1] then return {'missing', 0} end
if s[1] ~= ARGV[1] then return {'wrongEpoch', 0} end
local beat, fence, phaseSeq = s[3] or '0', tonumber(s[4]), tonumber(s[16])
if s[2] ~= node then
  if s[2] ~= '' and beat ~= idleBeat then return {'follower', tonumber(beat)} end
  fence = redis.call('HINCRBY', sale, 'fence', 1)
end
redis.call('HSET', sale, 'leaseHolder', node, 'leaseBeat', tonumber(beat) + 1)
if ratePerSecond ~= '' then redis.call('HSET', sale, 'ratePerSecond', ratePerSecond) end
if controller == '' then controller = s[20] or '' else redis.call('HSET', sale, 'controller', controller) end

local phase = phaseNow(s[5], tonumber(s[6]), tonumber(s[7]), nowMs)
if phase ~= s[5] then
  redis.call('HSET', sale, 'phase', phase)
  phaseSeq = redis.call('HINCRBY', sale, 'phaseSeq', 1)
end

local inside, admissionMs = tonumber(s[12]), tonumber(s[8])
local stoppedMs, stoppedAtMs = tonumber(s[18] or 0), tonumber(s[19] or 0)
if stoppedAtMs > 0 and (phase == 'closed' or (phase ~= 'paused' and inside < tonumber(s[15]))) then
  stoppedMs, stoppedAtMs = stoppedMs + math.max(0, nowMs - stoppedAtMs), 0
  redis.call('HSET', sale, 'windowsStoppedMs', string.format('%.0f', stoppedMs), 'windowsStoppedAtMs', 0)
end
local windowMs = windowTime(nowMs, stoppedMs, stoppedAtMs)

local pending, freed = tonumber(s[11]), 0
for _, step in ipairs(redis.call('ZRANGE', steps, 0, atMost - 1)) do
  local serving, atMs = string.match(step, '^(%d+):(%d+)$')
  if tonumber(atMs) + admissionMs > windowMs then break end
  freed = freed + tonumber(redis.call('HGET', remaining, serving) or 0)
  redis.call('HDEL', remaining, serving)
  redis.call('ZREM', steps, step)
  redis.call('ZREMRANGEBYSCORE', departed, '-inf', serving)
  redis.call('HSET', sale, 'expiredThrough', serving)
end
if freed > 0 then pending = redis.call('HINCRBY', sale, 'pending', -freed) end

-- Who is pending since when. Of the steps beyond the bound, the oldest, some are looked at, evenly spread: who is pending in all
-- of them together is known.
local shows, pendingByAge, fields = {}, {}, {}
for class = 1, AGE_CLASSES do
  fields[class] = 'shows:' .. class
  pendingByAge[class] = 0
end
for class, count in ipairs(redis.call('HMGET', sale, unpack(fields))) do shows[class] = count or 0 end
local servings, classes, younger, older = {}, {}, 0, 0
local function look(first, last)
  for _, step in ipairs(redis.call('ZRANGE', steps, first, last)) do
    local serving, atMs = string.match(step, '^(%d+):(%d+)$')
    servings[#servings + 1], classes[#classes + 1] = serving, ageClass(windowMs - tonumber(atMs))
  end
end
look(-agedAtMost, -1)
local aged = #servings
local beyond = redis.call('ZCARD', steps) - aged
local sampled = math.min(beyond, sampledAtMost)
for i = 1, sampled do
  local index = math.floor((i - 0.5) * beyond / sampled)
  look(index, index)
end
if #servings > 0 then
  local people = redis.call('HMGET', remaining, unpack(servings))
  for i = 1, #servings do
    people[i] = tonumber(people[i] or 0)
    if i <= aged then younger = younger + people[i] else older = older + people[i] end
  end
  local scale = older > 0 and (pending - younger) / older or 0
  for i = 1, #servings do
    pendingByAge[classes[i]] = pendingByAge[classes[i]] + people[i] * (i <= aged and 1 or scale)
  end
  -- Whole people.
  local counted, carried = 0, 0
  for class = 1, AGE_CLASSES do
    carried = carried + pendingByAge[class]
    pendingByAge[class] = math.floor(carried + 0.5) - counted
    counted = counted + pendingByAge[class]
  end
  -- Those of whom no sample knew.
  local oldest = sampled > 0 and classes[aged + 1] or classes[1]
  pendingByAge[oldest] = pendingByAge[oldest] + pending - counted
end
return {'leader', fence, tonumber(s[9]), tonumber(s[10]), pending, inside, tonumber(s[13]), tonumber(s[14]),
  tonumber(s[15]), phaseSeq, freed, s[17], phase, s[5], admissionMs, windowMs,
  table.concat(shows, ','), table.concat(pendingByAge, ','), controller}
