#!lua flags=allow-oom
-- The gateway has the money: the hold goes from `paying` to `sold` and draws the next confirmation number.
-- Where the hold is gone (an older state was restored, or it was released), its buyer gets other tickets if there are
-- any left within the limit; else the answer is `gone` and the money goes back.
-- KEYS  sale hold buyers bought paying released expiry
-- ARGV  epoch account holdId paymentId amount quantity
-- REPLY {'confirmed', seq, confirmSeq, capacity, tickets 'n,n,n'} {'gone', 0} {'amountDiffers', amount of the hold}
--       {'wrongEpoch' | 'missing'}
-- Safe to repeat: a hold sold to this payment answers as it did before. A hold of another epoch is as good as gone: its
-- tickets went back to stock when the sale was rebuilt.
local sale, hold, buyers, bought = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local paying, released, expiry = KEYS[5], KEYS[6], KEYS[7]
local account, holdId, paymentId, amount, quantity = ARGV[2], ARGV[3], ARGV[4], ARGV[5], tonumber(ARGV[6])
local holdPrefix = string.sub(hold, 1, -1 - #holdId)
-- @include tickets

local s = redis.call('HMGET', sale, 'epoch', 'seq', 'capacity', 'available', 'limitPerBuyer')
if not s[1] then return {'missing'} end
if s[1] ~= ARGV[1] then return {'wrongEpoch'} end
local capacity = tonumber(s[3])
local h = redis.call('HMGET', hold, 'state', 'paymentId', 'amount', 'tickets', 'quantity', 'confirmSeq', 'numbersKey',
  'numbersField', 'number', 'epoch')
local ours = h[2] == paymentId
local current = h[10] == s[1]
if h[1] == 'sold' and ours and current then return {'confirmed', tonumber(s[2]), tonumber(h[6]), capacity, h[4]} end
-- A hold that another payment is paying or has paid is that payment's business.
if (h[1] == 'paying' or h[1] == 'sold') and not ours then return {'gone', 0} end
if h[3] and h[3] ~= amount then return {'amountDiffers', tonumber(h[3])} end

local csv
if current and (h[1] == 'paying' or h[1] == 'held') then
  csv, quantity = h[4], tonumber(h[5])
  redis.call('HINCRBY', sale, 'held', -quantity)
  redis.call('HINCRBY', sale, 'inside', -1)
  redis.call('HDEL', buyers, account)
  redis.call('ZREM', paying, holdId)
  redis.call('ZREM', expiry, holdId)
  -- One admission, one order: buying again means joining again.
  if redis.call('HGET', h[7], h[8]) == h[9] then redis.call('HDEL', h[7], h[8]) end
else
  local has = tonumber(redis.call('HGET', bought, account) or 0)
  -- What the buyer holds by now may be paid as well, and counts against the limit.
  local live = redis.call('HGET', buyers, account)
  if live then has = has + tonumber(redis.call('HGET', holdPrefix .. live, 'quantity') or 0) end
  if tonumber(s[4]) < quantity or has + quantity > tonumber(s[5]) then return {'gone', 0} end
  csv = table.concat(takeTickets(released, sale, quantity), ',')
  redis.call('HINCRBY', sale, 'available', -quantity)
end

local confirmSeq = redis.call('HINCRBY', sale, 'confirmSeq', 1)
redis.call('HINCRBY', sale, 'sold', quantity)
redis.call('HINCRBY', bought, account, quantity)
redis.call('HSET', hold, 'account', account, 'state', 'sold', 'paymentId', paymentId, 'confirmSeq', confirmSeq,
  'epoch', s[1], 'tickets', csv, 'quantity', quantity, 'amount', amount)
return {'confirmed', redis.call('HINCRBY', sale, 'seq', 1), confirmSeq, capacity, csv}
