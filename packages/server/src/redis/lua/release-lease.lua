#!lua flags=allow-oom
-- A ticker that stops gives its lease up, so that another server need not wait until it has run out.
-- KEYS  sale
-- ARGV  epoch node fence controller
-- REPLY {'released' | 'notHeld' | 'wrongEpoch' | 'missing'}
-- `controller` is what its admission controller remembers after its last decision, for whoever leads next.
local sale = KEYS[1]
local node, fence, controller = ARGV[2], ARGV[3], ARGV[4]
local s = redis.call('HMGET', sale, 'epoch', 'leaseHolder', 'fence')
if not s[1] then return {'missing'} end
if s[1] ~= ARGV[1] then return {'wrongEpoch'} end
if s[2] ~= node or s[3] ~= fence then return {'notHeld'} end
redis.call('HSET', sale, 'leaseHolder', '', 'controller', controller)
return {'released'}
