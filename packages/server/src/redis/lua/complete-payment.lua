#!lua flags=allow-oom
-- Shows the outcome of a payment to its buyer. Called only after the record behind it is durable in the order log.
-- KEYS  payment hold
-- ARGV  account holdId status orderId failureCode finishedTtlSeconds
-- REPLY {'completed'}
-- Needs no epoch: it says what the log says, whatever happened to the stock. `refunded` is final.
local payment, hold = KEYS[1], KEYS[2]
local account, holdId, status, orderId, failureCode, ttl = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]
if redis.call('HGET', payment, 'status') ~= 'refunded' then
  redis.call('HSET', payment, 'account', account, 'holdId', holdId, 'status', status)
  if orderId ~= '' then redis.call('HSET', payment, 'orderId', orderId) end
  if failureCode ~= '' then redis.call('HSET', payment, 'failureCode', failureCode) end
end
redis.call('EXPIRE', payment, ttl)
if redis.call('EXISTS', hold) == 1 then redis.call('EXPIRE', hold, ttl) end
return {'completed'}
