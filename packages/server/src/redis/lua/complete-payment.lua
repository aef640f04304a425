#!lua flags=allow-oom
-- Shows the outcome of a payment to its buyer. Called only after the record behind it is durable in the order log.
-- KEYS  sale payment hold
-- ARGV  epoch account holdId status orderId failureCode finishedTtlSeconds
-- REPLY {'completed'}
-- Says what the log says, whatever happened to the stock, in any epoch. `refunded` is final. When ARGV[1] is the sale's epoch,
-- the outcome counts as of that epoch; when not, its epoch is left as it is: a memory, when that is over.
local sale, payment, hold = KEYS[1], KEYS[2], KEYS[3]
local account, holdId, status, orderId, failureCode, ttl = ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6], ARGV[7]
if redis.call('HGET', payment, 'status') ~= 'refunded' then
  redis.call('HSET', payment, 'account', account, 'holdId', holdId, 'status', status)
  if orderId ~= '' then redis.call('HSET', payment, 'orderId', orderId) end
  if failureCode ~= '' then redis.call('HSET', payment, 'failureCode', failureCode) end
  if redis.call('HGET', sale, 'epoch') == ARGV[1] then redis.call('HSET', payment, 'epoch', ARGV[1]) end
end
redis.call('EXPIRE', payment, ttl)
if redis.call('EXISTS', hold) == 1 then redis.call('EXPIRE', hold, ttl) end
return {'completed'}
