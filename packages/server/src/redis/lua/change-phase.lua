#!lua
-- An operator opens, pauses, resumes or closes a sale. While it is paused the admission windows stand still; the tick after
-- lets them go on.
-- KEYS  sale
-- ARGV  epoch nowMs action(open|pause|resume|close)
-- REPLY {'changed', phaseSeq, from, to} {'wrongPhase', 0, present phase} {'wrongEpoch' | 'missing', 0}
local sale = KEYS[1]
local nowMs, action = tonumber(ARGV[2]), ARGV[3]
-- @include phase

local s = redis.call('HMGET', sale, 'epoch', 'phase', 'opensAtMs', 'closesAtMs', 'windowsStoppedAtMs')
if not s[1] then return {'missing', 0} end
if s[1] ~= ARGV[1] then return {'wrongEpoch', 0} end
local from = phaseNow(s[2], tonumber(s[3]), tonumber(s[4]), nowMs)
local target = {
  open = {scheduled = 'open'},
  pause = {open = 'paused'},
  resume = {paused = 'open'},
  close = {scheduled = 'closed', open = 'closed', paused = 'closed'},
}
local to = target[action][from]
if not to then return {'wrongPhase', 0, from} end
redis.call('HSET', sale, 'phase', to)
if to == 'paused' and tonumber(s[5] or 0) == 0 then redis.call('HSET', sale, 'windowsStoppedAtMs', ARGV[2]) end
redis.call('HINCRBY', sale, 'seq', 1)
return {'changed', redis.call('HINCRBY', sale, 'phaseSeq', 1), from, to}
