#!lua
-- Second half of a tick: moves the serving number on. It never goes back, never passes the last number drawn, and never
-- admits more than `maxActive` allows, whatever the caller computed.
-- KEYS  sale steps remaining departed
-- ARGV  epoch nowMs node fence expectedServing newServing
-- REPLY {'advanced', serving, admitted} {'stale' | 'refused' | 'wrongEpoch' | 'missing', serving, 0}
-- Numbers whose buyers left are passed over without taking a slot.
local sale, steps, remaining, departed = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local nowMs, node, fence, expected, target = ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5]), tonumber(ARGV[6])

local s = redis.call('HMGET', sale, 'epoch', 'leaseHolder', 'fence', 'serving', 'drawn', 'pending', 'inside', 'maxActive')
if not s[1] then return {'missing', 0, 0} end
local serving = tonumber(s[4])
if s[1] ~= ARGV[1] then return {'wrongEpoch', serving, 0} end
if s[2] ~= node or s[3] ~= fence or serving ~= expected then return {'stale', serving, 0} end
if target <= serving or target > tonumber(s[5]) then return {'refused', serving, 0} end
local ghosts = redis.call('ZCOUNT', departed, '(' .. serving, target)
local admitted = target - serving - ghosts
if tonumber(s[6]) + tonumber(s[7]) + admitted > tonumber(s[8]) then return {'refused', serving, 0} end

redis.call('HSET', sale, 'serving', target)
redis.call('ZREMRANGEBYSCORE', departed, '-inf', target)
redis.call('ZADD', steps, target, target .. ':' .. nowMs)
redis.call('HSET', remaining, target, admitted)
redis.call('HINCRBY', sale, 'pending', admitted)
redis.call('HINCRBY', sale, 'seq', 1)
return {'advanced', target, admitted}
