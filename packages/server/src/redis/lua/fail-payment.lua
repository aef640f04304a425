#!lua flags=allow-oom
-- No money was taken: the hold goes back from `paying` to `held`, with a little time to try again. An empty failureCode
-- frees the hold and leaves the payment pending: its money was taken and is on its way back. One that was `not_started`
-- is as if it had never been asked for: the same request, made again, begins another.
-- KEYS  sale hold payment expiry paying request
-- ARGV  epoch nowMs holdId paymentId failureCode graceMs finishedTtlSeconds
-- REPLY {'failed', seq} {'gone' | 'wrongEpoch' | 'missing', 0}
local sale, hold, payment, expiry, paying, request = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local nowMs, holdId, paymentId, failureCode = tonumber(ARGV[2]), ARGV[3], ARGV[4], ARGV[5]

local epoch = redis.call('HGET', sale, 'epoch')
if not epoch then return {'missing', 0} end
if epoch ~= ARGV[1] then return {'wrongEpoch', 0} end
if failureCode ~= '' and redis.call('HGET', payment, 'status') == 'pending' then
  redis.call('HSET', payment, 'status', 'failed', 'failureCode', failureCode)
  redis.call('EXPIRE', payment, ARGV[7])
end
if failureCode == 'not_started' then
  local seen = redis.call('GET', request)
  if seen and string.match(seen, ' (%S+)$') == paymentId then redis.call('DEL', request) end
end
local h = redis.call('HMGET', hold, 'state', 'paymentId', 'expiresAtMs', 'epoch')
if h[1] ~= 'paying' or h[2] ~= paymentId then return {'gone', 0} end
if h[4] ~= epoch then
  -- Its tickets went back to stock when the sale was rebuilt: there is nothing to go back to.
  redis.call('HSET', hold, 'state', 'released')
  redis.call('EXPIRE', hold, ARGV[7])
  return {'gone', 0}
end
local expiresAtMs = string.format('%.0f', math.max(tonumber(h[3]), nowMs + tonumber(ARGV[6])))
redis.call('HSET', hold, 'state', 'held', 'expiresAtMs', expiresAtMs)
redis.call('ZADD', expiry, expiresAtMs, holdId)
redis.call('ZREM', paying, holdId)
return {'failed', redis.call('HINCRBY', sale, 'seq', 1)}
