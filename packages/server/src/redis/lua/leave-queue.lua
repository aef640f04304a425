#!lua flags=allow-oom
-- Gives a queue number up. An admitted buyer without a hold frees the slot at once; a live hold stays until it ends.
-- KEYS  sale numbers steps remaining departed buyers
-- ARGV  epoch nowMs account field number
-- REPLY {'left' | 'gone' | 'wrongEpoch' | 'missing'}
local sale, numbers, steps, remaining, departed, buyers = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local account, field, number = ARGV[3], ARGV[4], tonumber(ARGV[5])
-- @include admission

local s = redis.call('HMGET', sale, 'epoch', 'serving', 'expiredThrough')
if not s[1] then return {'missing'} end
if s[1] ~= ARGV[1] then return {'wrongEpoch'} end
if tonumber(redis.call('HGET', numbers, field) or 0) ~= number then return {'gone'} end
redis.call('HDEL', numbers, field)
if number > tonumber(s[2]) then
  redis.call('ZADD', departed, number, number)
elseif number > tonumber(s[3]) and redis.call('HEXISTS', buyers, account) == 0 then
  local step = findStep(steps, number)
  -- Who came for nothing has given the slot up already.
  if step and redis.call('ZREM', departed, number) == 0 then
    redis.call('HINCRBY', remaining, step, -1)
    redis.call('HINCRBY', sale, 'pending', -1)
  end
end
redis.call('HINCRBY', sale, 'seq', 1)
return {'left'}
