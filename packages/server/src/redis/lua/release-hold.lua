#!lua flags=allow-oom
-- A buyer gives a hold back. Within the admission window the buyer stays admitted and may hold again.
-- KEYS  sale steps remaining released expiry buyers hold
-- ARGV  epoch nowMs account holdId finishedTtlSeconds
-- REPLY {'released' | 'paying' | 'sold' | 'notFound' | 'wrongEpoch' | 'missing'}
local sale, steps, remaining, released, expiry, buyers, hold = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7]
local nowMs, account, holdId, ttl = tonumber(ARGV[2]), ARGV[3], ARGV[4], ARGV[5]
-- @include tickets
-- @include end-hold

local s = redis.call('HMGET', sale, 'epoch', 'expiredThrough', 'admissionMs')
if not s[1] then return {'missing'} end
if s[1] ~= ARGV[1] then return {'wrongEpoch'} end
local h = redis.call('HMGET', hold, 'quantity', 'tickets', 'account', 'state', 'number', 'step', 'numbersKey',
  'numbersField', 'expiresAtMs', 'epoch')
if h[3] ~= account then return {'notFound'} end
if h[4] ~= 'held' then return {h[4]} end
-- What was held in another epoch went back to stock with it.
if h[10] ~= s[1] then return {'released'} end

endHold(sale, released, expiry, buyers, hold, holdId, h, ttl)
local number, step = tonumber(h[5]), h[6]
local current = tonumber(redis.call('HGET', h[7], h[8]) or 0) == number
if current then
  -- The step is still there exactly while its window is open; then the slot counts as pending again.
  if number > tonumber(s[2]) and tonumber(h[9]) > nowMs then
    redis.call('HINCRBY', remaining, step, 1)
    redis.call('HINCRBY', sale, 'pending', 1)
  else
    redis.call('HDEL', h[7], h[8])
  end
end
return {'released'}
