#!lua
-- Puts a sale that was built anew from what was sold in the place of whatever Redis has of it: nothing, or a state that
-- cannot be trusted. At once, so that there is no moment with half of it; and only forward: a server that was paused
-- while rebuilding cannot put an old epoch over the present one.
-- KEYS  sale steps remaining departed released expiry paying buyers bought returned stagedReleased stagedBought
--       stagedReturned
-- ARGV  version epoch phase phaseSeq capacity price limitPerBuyer opensAtMs closesAtMs holdMs admissionMs rejoin
--       mode perSecond maxActive admissionSeq drawn sold nextFresh confirmSeq releasedCount boughtCount
--       returnedCount holdPrefix paymentPrefix finishedTtlSeconds
-- REPLY {'restored' | 'exists' | 'stagingLost', epoch}
-- Redis may have been wiped since the staging: what is not there in full is not put in place.
local sale, released, bought, returned = KEYS[1], KEYS[5], KEYS[9], KEYS[10]
local stagedReleased, stagedBought, stagedReturned = KEYS[11], KEYS[12], KEYS[13]
-- @include new-sale

local function numberOf(epoch) return tonumber(string.match(epoch, '^%d+')) end
local present = redis.call('HGET', sale, 'epoch')
if present and numberOf(present) >= numberOf(ARGV[2]) then return {'exists', present} end

if redis.call('ZCARD', stagedReleased) ~= tonumber(ARGV[21]) or redis.call('HLEN', stagedBought) ~= tonumber(ARGV[22])
    or redis.call('SCARD', stagedReturned) ~= tonumber(ARGV[23]) then
  return {'stagingLost', ARGV[2]}
end

-- Holds that end with their epoch are in no list any more, so nobody would ever look at them again: they are remembered for
-- as long as any that ended. Payments under way go on, and what becomes of them is written in their place.
local expiry, paying, holdPrefix, paymentPrefix, ttl = KEYS[6], KEYS[7], ARGV[24], ARGV[25], ARGV[26]
for _, holdId in ipairs(redis.call('ZRANGE', expiry, 0, -1)) do redis.call('EXPIRE', holdPrefix .. holdId, ttl) end
for _, holdId in ipairs(redis.call('ZRANGE', paying, 0, -1)) do
  local paymentId = redis.call('HGET', holdPrefix .. holdId, 'paymentId')
  if paymentId then redis.call('EXPIRE', paymentPrefix .. paymentId, ttl) end
  redis.call('EXPIRE', holdPrefix .. holdId, ttl)
end

redis.call('UNLINK', sale, KEYS[2], KEYS[3], KEYS[4], released, expiry, paying, KEYS[8], bought, returned)
local function putInPlace(staged, key)
  if redis.call('EXISTS', staged) == 0 then return end
  redis.call('RENAME', staged, key)
  redis.call('PERSIST', key)
end
putInPlace(stagedReleased, released)
putInPlace(stagedBought, bought)
-- Orders that are being cancelled: their tickets are in this stock already and must not be returned again.
putInPlace(stagedReturned, returned)
writeNewSale(sale, ARGV)
return {'restored', ARGV[2]}
