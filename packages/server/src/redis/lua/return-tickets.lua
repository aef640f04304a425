#!lua flags=allow-oom
-- The tickets of a cancelled order go back to stock, once.
-- KEYS  sale released bought returned voided
-- ARGV  epoch account orderId tickets('n,n,n')
-- REPLY {'returned' | 'repeated', seq} {'wrongEpoch' | 'missing', 0}
-- Remembered for as long as the sale's state lives: a refund that is stuck may be finished weeks later.
local sale, released, bought, returned, voided = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local account, orderId, csv = ARGV[2], ARGV[3], ARGV[4]
-- @include tickets

local s = redis.call('HMGET', sale, 'epoch', 'seq')
if not s[1] then return {'missing', 0} end
if s[1] ~= ARGV[1] then return {'wrongEpoch', 0} end
-- For order logs that still count the tickets as this order's. Also when a rebuild has put them back into stock already.
for _, number in ipairs(splitTickets(csv)) do redis.call('ZADD', voided, number, number .. ':' .. orderId) end
if redis.call('SADD', returned, orderId) == 0 then return {'repeated', tonumber(s[2])} end
local quantity = #splitTickets(csv)
returnTickets(released, csv)
redis.call('HINCRBY', sale, 'available', quantity)
redis.call('HINCRBY', sale, 'sold', -quantity)
redis.call('HINCRBY', bought, account, -quantity)
return {'returned', redis.call('HINCRBY', sale, 'seq', 1)}
