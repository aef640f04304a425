#!lua
-- A hold goes from `held` to `paying`: from here on only the payment's outcome ends it, not the time.
-- KEYS  sale hold payment expiry paying request
-- ARGV  epoch nowMs account holdId paymentId method logId requestFingerprint requestTtlSeconds
-- REPLY {'started', seq, amount, tickets 'n,n,n', paymentId} {'repeated', 0, 0, '', paymentId}
--       {'notFound' | 'holdExpired' | 'keyReused' | 'wrongEpoch' | 'missing'}
local sale, hold, payment, expiry, paying, request = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local nowMs, account, holdId, paymentId, method, logId = tonumber(ARGV[2]), ARGV[3], ARGV[4], ARGV[5], ARGV[6], ARGV[7]
local fingerprint, ttl = ARGV[8], ARGV[9]

local epoch = redis.call('HGET', sale, 'epoch')
if not epoch then return {'missing'} end
if epoch ~= ARGV[1] then return {'wrongEpoch'} end
local h = redis.call('HMGET', hold, 'account', 'state', 'expiresAtMs', 'amount', 'tickets', 'paymentId', 'epoch')
if h[1] ~= account then return {'notFound'} end
if fingerprint ~= '' then
  local seen = redis.call('GET', request)
  if seen then
    local seenFingerprint, seenPayment = string.match(seen, '^(%S+) (%S+)$')
    if seenFingerprint ~= fingerprint then return {'keyReused'} end
    return {'repeated', 0, 0, '', seenPayment}
  end
end
local function remember(id)
  if fingerprint ~= '' then redis.call('SET', request, fingerprint .. ' ' .. id, 'EX', ttl) end
end

if h[2] == 'paying' or h[2] == 'sold' then
  remember(h[6])
  return {'repeated', 0, 0, '', h[6]}
end
-- What was held in another epoch went back to stock with it.
if h[2] ~= 'held' or h[7] ~= epoch or tonumber(h[3]) <= nowMs then return {'holdExpired'} end

redis.call('HSET', hold, 'state', 'paying', 'paymentId', paymentId)
redis.call('HSET', payment, 'account', account, 'holdId', holdId, 'status', 'pending', 'amount', h[4], 'method', method,
  'logId', logId, 'epoch', epoch, 'startedAtMs', ARGV[2])
redis.call('ZREM', expiry, holdId)
redis.call('ZADD', paying, ARGV[2], holdId)
remember(paymentId)
return {'started', redis.call('HINCRBY', sale, 'seq', 1), tonumber(h[4]), h[5], paymentId}
