#!lua flags=allow-oom
-- A buyer gives a hold back. Within the admission window the buyer stays admitted and may hold again, without taking a slot for
-- it (`departed`): the one of this turn was used, and who comes again is neither waited for nor counted as one who came.
-- KEYS  sale departed released expiry buyers hold
-- ARGV  epoch nowMs account holdId finishedTtlSeconds
-- REPLY {'released' | 'paying' | 'sold' | 'notFound' | 'wrongEpoch' | 'missing'}
local sale, departed, released, expiry, buyers, hold = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local nowMs, account, holdId, ttl = tonumber(ARGV[2]), ARGV[3], ARGV[4], ARGV[5]
-- @include tickets
-- @include end-hold

local s = redis.call('HMGET', sale, 'epoch', 'expiredThrough', 'admissionMs')
if not s[1] then return {'missing'} end
if s[1] ~= ARGV[1] then return {'wrongEpoch'} end
local h = redis.call('HMGET', hold, 'quantity', 'tickets', 'account', 'state', 'number', 'numbersKey', 'numbersField',
  'expiresAtMs', 'epoch')
if h[3] ~= account then return {'notFound'} end
if h[4] ~= 'held' then return {h[4]} end
-- What was held in another epoch went back to stock with it.
if h[9] ~= s[1] then return {'released'} end

endHold(sale, released, expiry, buyers, hold, holdId, h, ttl)
local number = tonumber(h[5])
local current = tonumber(redis.call('HGET', h[6], h[7]) or 0) == number
if current then
  if number > tonumber(s[2]) and tonumber(h[8]) > nowMs then
    redis.call('ZADD', departed, number, number)
  else
    redis.call('HDEL', h[6], h[7])
  end
end
return {'released'}
