#!lua flags=allow-oom
-- The tickets of a cancelled order go back to stock, once.
-- KEYS  sale released bought hold
-- ARGV  epoch account orderId tickets('n,n,n') finishedTtlSeconds
-- REPLY {'returned' | 'repeated', seq} {'wrongEpoch' | 'missing', 0}
local sale, released, bought, hold = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local account, csv, ttl = ARGV[2], ARGV[4], ARGV[5]
-- @include tickets

local s = redis.call('HMGET', sale, 'epoch', 'seq')
if not s[1] then return {'missing', 0} end
if s[1] ~= ARGV[1] then return {'wrongEpoch', 0} end
if redis.call('HGET', hold, 'state') == 'returned' then return {'repeated', tonumber(s[2])} end
local quantity = #splitTickets(csv)
returnTickets(released, csv)
redis.call('HINCRBY', sale, 'available', quantity)
redis.call('HINCRBY', sale, 'sold', -quantity)
redis.call('HINCRBY', bought, account, -quantity)
redis.call('HSET', hold, 'account', account, 'state', 'returned')
redis.call('EXPIRE', hold, ttl)
return {'returned', redis.call('HINCRBY', sale, 'seq', 1)}
