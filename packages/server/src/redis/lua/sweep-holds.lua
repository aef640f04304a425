#!lua flags=allow-oom
-- Returns expired holds to stock. The buyer's turn is over: the queue number goes as well.
-- KEYS  sale released expiry buyers
-- ARGV  epoch nowMs holdPrefix atMost finishedTtlSeconds
-- REPLY {'swept', holds, tickets} {'wrongEpoch' | 'missing', 0, 0}
local sale, released, expiry, buyers = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local nowMs, holdPrefix, atMost, ttl = ARGV[2], ARGV[3], ARGV[4], ARGV[5]
-- @include tickets
-- @include end-hold

local epoch = redis.call('HGET', sale, 'epoch')
if not epoch then return {'missing', 0, 0} end
if epoch ~= ARGV[1] then return {'wrongEpoch', 0, 0} end
local expired = redis.call('ZRANGE', expiry, '-inf', nowMs, 'BYSCORE', 'LIMIT', 0, atMost)
local tickets = 0
for _, holdId in ipairs(expired) do
  local hold = holdPrefix .. holdId
  local h = redis.call('HMGET', hold, 'quantity', 'tickets', 'account', 'state', 'number', 'numbersKey', 'numbersField')
  if h[4] == 'held' then
    endHold(sale, released, expiry, buyers, hold, holdId, h, ttl)
    tickets = tickets + tonumber(h[1])
    if redis.call('HGET', h[6], h[7]) == h[5] then redis.call('HDEL', h[6], h[7]) end
  else
    redis.call('ZREM', expiry, holdId)
  end
end
return {'swept', #expired, tickets}
