#!lua flags=allow-oom
-- First half of a tick: takes or renews the ticker's lease, lets the sale's own times move its phase, and frees the slots
-- of admitted buyers whose window has passed. Replies with what the admission controller needs.
-- KEYS  sale steps remaining
-- ARGV  epoch nowMs node idleBeat stepsAtMost
-- REPLY {'leader', fence, serving, drawn, pending, inside, available, perSecond, maxActive, phaseSeq, freed, mode, phase,
--        phase before}
--       {'follower', leaseBeat} {'wrongEpoch' | 'missing', 0}
-- No clock decides who leads: those of two servers may differ, and Redis's may jump. The leader counts `leaseBeat` up with
-- every tick. A node that has seen the same beat for as long as the lease, by its own clock, sends it as `idleBeat` ('' when
-- it has not) and takes over if the beat is still that one.
-- The fence grows with every change of leader; `advance-serving` refuses an older one, so a node that was paused and
-- wakes up cannot admit anybody on top of its successor.
local sale, steps, remaining = KEYS[1], KEYS[2], KEYS[3]
local nowMs, node, idleBeat, atMost = tonumber(ARGV[2]), ARGV[3], ARGV[4], tonumber(ARGV[5])
-- @include phase

local s = redis.call('HMGET', sale, 'epoch', 'leaseHolder', 'leaseBeat', 'fence', 'phase', 'opensAtMs', 'closesAtMs',
  'admissionMs', 'serving', 'drawn', 'pending', 'inside', 'available', 'perSecond', 'maxActive', 'phaseSeq', 'mode')
if not s[1] then return {'missing', 0} end
if s[1] ~= ARGV[1] then return {'wrongEpoch', 0} end
local beat, fence, phaseSeq = s[3] or '0', tonumber(s[4]), tonumber(s[16])
if s[2] ~= node then
  if s[2] ~= '' and beat ~= idleBeat then return {'follower', tonumber(beat)} end
  fence = redis.call('HINCRBY', sale, 'fence', 1)
end
redis.call('HSET', sale, 'leaseHolder', node, 'leaseBeat', tonumber(beat) + 1)

local phase = phaseNow(s[5], tonumber(s[6]), tonumber(s[7]), nowMs)
if phase ~= s[5] then
  redis.call('HSET', sale, 'phase', phase)
  phaseSeq = redis.call('HINCRBY', sale, 'phaseSeq', 1)
end

local pending, freed = tonumber(s[11]), 0
for _, step in ipairs(redis.call('ZRANGE', steps, 0, atMost - 1)) do
  local serving, atMs = string.match(step, '^(%d+):(%d+)$')
  if tonumber(atMs) + tonumber(s[8]) > nowMs then break end
  freed = freed + tonumber(redis.call('HGET', remaining, serving) or 0)
  redis.call('HDEL', remaining, serving)
  redis.call('ZREM', steps, step)
  redis.call('HSET', sale, 'expiredThrough', serving)
end
if freed > 0 then pending = redis.call('HINCRBY', sale, 'pending', -freed) end
return {'leader', fence, tonumber(s[9]), tonumber(s[10]), pending, tonumber(s[12]), tonumber(s[13]), tonumber(s[14]),
  tonumber(s[15]), phaseSeq, freed, s[17], phase, s[5]}
