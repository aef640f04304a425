#!lua
-- An operator sets the admission of a sale. An empty perSecond or maxActive keeps what there is.
-- KEYS  sale
-- ARGV  epoch mode perSecond maxActive
-- REPLY {'set', admissionSeq, perSecond, maxActive, mode} {'wrongEpoch' | 'missing', 0}
local sale = KEYS[1]
local s = redis.call('HMGET', sale, 'epoch', 'perSecond', 'maxActive')
if not s[1] then return {'missing', 0} end
if s[1] ~= ARGV[1] then return {'wrongEpoch', 0} end
local perSecond = ARGV[3] ~= '' and ARGV[3] or s[2]
local maxActive = ARGV[4] ~= '' and ARGV[4] or s[3]
redis.call('HSET', sale, 'mode', ARGV[2], 'perSecond', perSecond, 'maxActive', maxActive)
redis.call('HINCRBY', sale, 'seq', 1)
return {'set', redis.call('HINCRBY', sale, 'admissionSeq', 1), tonumber(perSecond), tonumber(maxActive), ARGV[2]}
