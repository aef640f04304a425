#!lua
-- An operator sets the admission of a sale. An empty maxActive keeps what there is. So does an empty perSecond, except that a
-- sale which goes over to `auto` gets the highest rate, which is no bound, and one that comes back from there the default.
-- KEYS  sale
-- ARGV  epoch mode perSecond maxActive perSecondHighest perSecondDefault
-- REPLY {'set', admissionSeq, perSecond, maxActive, mode, and what was before: perSecond, maxActive, mode}
--       {'wrongEpoch' | 'missing', 0}
local sale = KEYS[1]
local mode, highest, default = ARGV[2], ARGV[5], ARGV[6]
local s = redis.call('HMGET', sale, 'epoch', 'perSecond', 'maxActive', 'mode')
if not s[1] then return {'missing', 0} end
if s[1] ~= ARGV[1] then return {'wrongEpoch', 0} end
local perSecond = s[2]
if ARGV[3] ~= '' then
  perSecond = ARGV[3]
elseif mode == 'auto' and s[4] ~= 'auto' then
  perSecond = highest
elseif mode ~= 'auto' and s[4] == 'auto' and s[2] == highest then
  perSecond = default
end
local maxActive = ARGV[4] ~= '' and ARGV[4] or s[3]
redis.call('HSET', sale, 'mode', mode, 'perSecond', perSecond, 'maxActive', maxActive)
redis.call('HINCRBY', sale, 'seq', 1)
return {'set', redis.call('HINCRBY', sale, 'admissionSeq', 1), tonumber(perSecond), tonumber(maxActive), mode,
  tonumber(s[2]), tonumber(s[3]), s[4]}
