#!lua
-- Draws a queue number for an account, or finds the one it has.
-- KEYS  sale numbers steps departed request
-- ARGV  epoch nowMs account field requestFingerprint requestTtlSeconds earlyJoinMs
-- REPLY {'joined', number, serving, admitted (0|1), admittedUntilMs (0 when waiting)}
--       {'notOpen', 0, opensAtMs, phase} {'soldOut' | 'missing' | 'wrongEpoch' | 'keyReused', 0, 0}
-- Numbers are drawn while the sale is open and in the last `earlyJoinMs` before it opens, in the order of arrival: whoever
-- comes before the opening waits for it with all others, since nobody is admitted before (`advance-serving`).
-- Second join: while waiting `keep` finds the number and `tail` moves to the tail; an admitted buyer keeps the number
-- while the admission lasts; whoever missed the turn draws a new number at the tail.
local sale, numbers, steps, departed, request = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local nowMs, field, fingerprint, ttl, earlyJoinMs = tonumber(ARGV[2]), ARGV[4], ARGV[5], ARGV[6], tonumber(ARGV[7])
-- @include phase
-- @include admission
-- @include windows

local s = redis.call('HMGET', sale, 'epoch', 'phase', 'opensAtMs', 'closesAtMs', 'available', 'serving',
  'expiredThrough', 'admissionMs', 'rejoin', 'windowsStoppedMs', 'windowsStoppedAtMs')
if not s[1] then return {'missing', 0, 0} end
if s[1] ~= ARGV[1] then return {'wrongEpoch', 0, 0} end
local opensAtMs = tonumber(s[3])
local phase = phaseNow(s[2], opensAtMs, tonumber(s[4]), nowMs)
local windowMs = windowTime(nowMs, s[10], s[11])
local serving, expiredThrough, admissionMs = tonumber(s[6]), tonumber(s[7]), tonumber(s[8])

local repeated = false
if fingerprint ~= '' then
  local seen = redis.call('GET', request)
  if seen and seen ~= fingerprint then return {'keyReused', 0, 0} end
  repeated = seen ~= false
end

-- Returns admitted (0|1) and until when; nil when the admission has passed.
local function admissionOf(number)
  if number > serving then return 0, 0 end
  if number <= expiredThrough then return nil end
  local _, atMs = findStep(steps, number)
  if not atMs or atMs + admissionMs <= windowMs then return nil end
  return 1, atMs + admissionMs + nowMs - windowMs
end

if phase == 'closed' then return {'notOpen', 0, opensAtMs, phase} end
local known = tonumber(redis.call('HGET', numbers, field) or 0)
if known > 0 then
  local admitted, untilMs = admissionOf(known)
  if admitted == 1 or (admitted == 0 and (s[9] == 'keep' or repeated)) then
    return {'joined', known, serving, admitted, untilMs}
  end
end
local isEarly = phase == 'scheduled' and nowMs >= opensAtMs - earlyJoinMs
if phase ~= 'open' and not isEarly then return {'notOpen', 0, opensAtMs, phase} end
if tonumber(s[5]) <= 0 then return {'soldOut', 0, 0} end

if known > serving then redis.call('ZADD', departed, known, known) end
local number = redis.call('HINCRBY', sale, 'drawn', 1)
redis.call('HSET', numbers, field, number)
if fingerprint ~= '' then redis.call('SET', request, fingerprint, 'EX', ttl) end
return {'joined', number, serving, 0, 0}
