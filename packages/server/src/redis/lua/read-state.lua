#!lua flags=no-writes
-- What every process needs to know of a sale, several times a second, in one command.
-- KEYS  sale steps
-- ARGV  newerThan(serving number) stepsAtMost
-- REPLY {'state', epoch, seq, phase, opensAtMs, closesAtMs, capacity, available, held, sold, serving, drawn,
--        expiredThrough, admissionMs, pending, inside, perSecond, maxActive, version, price, limitPerBuyer, mode,
--        windowsStoppedMs, windowsStoppedAtMs, ratePerSecond, step serving, step atMs, …}
--       {'missing'}
local sale, steps = KEYS[1], KEYS[2]
local s = redis.call('HMGET', sale, 'epoch', 'seq', 'phase', 'opensAtMs', 'closesAtMs', 'capacity', 'available', 'held',
  'sold', 'serving', 'drawn', 'expiredThrough', 'admissionMs', 'pending', 'inside', 'perSecond', 'maxActive', 'version',
  'price', 'limitPerBuyer', 'mode', 'windowsStoppedMs', 'windowsStoppedAtMs', 'ratePerSecond')
if not s[1] then return {'missing'} end
local reply = {'state'}
-- A sale that an earlier version has left has no stopped windows, and one without a leader yet no rate.
for i = 1, #s do reply[i + 1] = tonumber(s[i] or 0) or s[i] end
for _, step in ipairs(redis.call('ZRANGE', steps, '(' .. ARGV[1], '+inf', 'BYSCORE', 'LIMIT', 0, ARGV[2])) do
  local serving, atMs = string.match(step, '^(%d+):(%d+)$')
  reply[#reply + 1] = tonumber(serving)
  reply[#reply + 1] = tonumber(atMs)
end
return reply
