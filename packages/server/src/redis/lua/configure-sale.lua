#!lua
-- Takes over changed settings of a sale; stock moves by the difference in capacity, never by anything else.
-- KEYS  sale released
-- ARGV  epoch version capacity price limitPerBuyer opensAtMs closesAtMs holdMs admissionMs rejoin
-- REPLY {'configured' | 'current' | 'capacityInUse' | 'wrongEpoch' | 'missing', lowest possible capacity}
local sale, released = KEYS[1], KEYS[2]
local version, capacity = tonumber(ARGV[2]), tonumber(ARGV[3])
local known = redis.call('HMGET', sale, 'version', 'capacity', 'available', 'nextFresh', 'epoch')
if not known[1] then return {'missing', 0} end
if known[5] ~= ARGV[1] then return {'wrongEpoch', 0} end
if tonumber(known[1]) >= version then return {'current', 0} end
local oldCapacity, available, nextFresh = tonumber(known[2]), tonumber(known[3]), tonumber(known[4])
-- A number that was ever given out may be in a log, in MySQL or on somebody's phone: it stays within the capacity.
if capacity < nextFresh - 1 then return {'capacityInUse', nextFresh - 1} end
redis.call('HSET', sale, 'version', version, 'capacity', capacity, 'available', available + capacity - oldCapacity,
  'price', ARGV[4], 'limitPerBuyer', ARGV[5], 'opensAtMs', ARGV[6], 'closesAtMs', ARGV[7],
  'holdMs', ARGV[8], 'admissionMs', ARGV[9], 'rejoin', ARGV[10])
redis.call('HINCRBY', sale, 'seq', 1)
return {'configured', 0}
