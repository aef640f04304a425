#!lua
-- Reserves concrete ticket numbers for an admitted buyer.
-- KEYS  sale numbers steps remaining released expiry buyers bought hold request departed
-- ARGV  epoch nowMs account field number quantity holdId holdPrefix requestFingerprint requestTtlSeconds
-- REPLY {'held' | 'repeated', seq, expiresAtMs, amount, state, holdId, ticket numbers as text 'n,n,n'}
--       {'notAdmitted', serving} {'limitReached', bought, limit} {'soldOut', available}
--       {'notOpen' | 'admissionExpired' | 'busy' | 'keyReused' | 'wrongEpoch' | 'missing'}
-- The order of the checks: what exists already, the phase, the turn, the limit, the stock, the places inside. A refusal
-- changes nothing for the buyer. Who came for nothing, for want of tickets or because of the limit, gives the slot to the
-- next in line, and may try again, for fewer, while the window lasts: the number joins those that take no slot (`departed`).
-- Who finds all `maxActive` places taken ('busy') loses no time: the windows stand still until one is free.
local sale, numbers, steps, remaining, released = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local expiry, buyers, bought, hold, request, departed = KEYS[6], KEYS[7], KEYS[8], KEYS[9], KEYS[10], KEYS[11]
local nowMs, account, field, number, quantity = tonumber(ARGV[2]), ARGV[3], ARGV[4], tonumber(ARGV[5]), tonumber(ARGV[6])
local holdId, holdPrefix, fingerprint, ttl = ARGV[7], ARGV[8], ARGV[9], ARGV[10]
-- @include phase
-- @include admission
-- @include tickets
-- @include windows
-- @include ages

local s = redis.call('HMGET', sale, 'epoch', 'phase', 'opensAtMs', 'closesAtMs', 'serving', 'expiredThrough',
  'admissionMs', 'limitPerBuyer', 'available', 'held', 'sold', 'capacity', 'price', 'holdMs', 'seq',
  'inside', 'maxActive', 'windowsStoppedMs', 'windowsStoppedAtMs')
if not s[1] then return {'missing'} end
if s[1] ~= ARGV[1] then return {'wrongEpoch'} end

local function replyWith(status, id)
  local h = redis.call('HMGET', holdPrefix .. id, 'expiresAtMs', 'amount', 'state', 'tickets', 'epoch')
  -- What was held in another epoch went back to stock with it.
  local state = (not h[3] or (h[3] == 'held' and h[5] ~= s[1])) and 'released' or h[3]
  return {status, tonumber(s[15]), tonumber(h[1] or 0), tonumber(h[2] or 0), state, id, h[4] or ''}
end

if fingerprint ~= '' then
  local seen = redis.call('GET', request)
  if seen then
    local seenFingerprint, seenHold = string.match(seen, '^(%S+) (%S+)$')
    if seenFingerprint ~= fingerprint then return {'keyReused'} end
    return replyWith('repeated', seenHold)
  end
end

local function remember(id)
  if fingerprint ~= '' then redis.call('SET', request, fingerprint .. ' ' .. id, 'EX', ttl) end
end

local live = redis.call('HGET', buyers, account)
if live then
  local h = redis.call('HMGET', holdPrefix .. live, 'state', 'expiresAtMs')
  if h[1] == 'paying' or (h[1] == 'held' and tonumber(h[2]) > nowMs) then
    remember(live)
    return replyWith('repeated', live)
  end
  -- Expired but not swept yet: its turn is over, the sweeper returns the tickets.
  return {'admissionExpired'}
end

if phaseNow(s[2], tonumber(s[3]), tonumber(s[4]), nowMs) ~= 'open' then return {'notOpen'} end
local serving = tonumber(s[5])
-- The number must still be the account's own: leaving, moving to the tail or using the admission ends it.
if tonumber(redis.call('HGET', numbers, field) or 0) ~= number then return {'admissionExpired'} end
if number > serving then return {'notAdmitted', serving} end
if number <= tonumber(s[6]) then return {'admissionExpired'} end
local step, atMs = findStep(steps, number)
local windowMs = windowTime(nowMs, s[18], s[19])
if not step or atMs + tonumber(s[7]) <= windowMs then return {'admissionExpired'} end

-- The first time a buyer comes, whatever for, is what the admission controller learns from.
local function countShow()
  redis.call('HINCRBY', sale, 'shows:' .. ageClass(windowMs - atMs), 1)
end
local function giveSlotUp()
  if redis.call('ZADD', departed, number, number) == 0 then return end
  redis.call('HINCRBY', remaining, step, -1)
  redis.call('HINCRBY', sale, 'pending', -1)
  countShow()
end

local has = tonumber(redis.call('HGET', bought, account) or 0)
local limit = tonumber(s[8])
if has + quantity > limit then
  giveSlotUp()
  return {'limitReached', has, limit}
end
local available, held, sold, capacity = tonumber(s[9]), tonumber(s[10]), tonumber(s[11]), tonumber(s[12])
if available + held + sold ~= capacity then
  return redis.error_reply('STOCK available ' .. available .. ' + held ' .. held .. ' + sold ' .. sold .. ' is not capacity ' .. capacity)
end
if available < quantity then
  giveSlotUp()
  return {'soldOut', available}
end
if tonumber(s[16]) >= tonumber(s[17]) then
  if tonumber(s[19] or 0) == 0 then redis.call('HSET', sale, 'windowsStoppedAtMs', ARGV[2]) end
  return {'busy'}
end

local csv = table.concat(takeTickets(released, sale, quantity), ',')
local amount = string.format('%.0f', tonumber(s[13]) * quantity)
local expiresAtMs = nowMs + tonumber(s[14])
local expiresText = string.format('%.0f', expiresAtMs)
redis.call('HSET', hold, 'account', account, 'tickets', csv, 'quantity', quantity, 'amount', amount, 'state', 'held',
  'epoch', s[1], 'expiresAtMs', expiresText, 'number', number, 'numbersKey', numbers, 'numbersField', field)
redis.call('HSET', buyers, account, holdId)
redis.call('ZADD', expiry, expiresText, holdId)
if redis.call('ZREM', departed, number) == 0 then
  redis.call('HINCRBY', remaining, step, -1)
  redis.call('HINCRBY', sale, 'pending', -1)
  countShow()
end
redis.call('HSET', sale, 'available', available - quantity, 'held', held + quantity)
redis.call('HINCRBY', sale, 'inside', 1)
local seq = redis.call('HINCRBY', sale, 'seq', 1)
remember(holdId)
return {'held', seq, expiresAtMs, tonumber(amount), 'held', holdId, csv}
