#!lua
-- Creates the state of a sale. Does nothing when there is one: stock that was sold can never be raised this way.
-- KEYS  sale
-- ARGV  version epoch phase phaseSeq capacity price limitPerBuyer opensAtMs closesAtMs holdMs admissionMs rejoin
--       mode perSecond maxActive admissionSeq drawn sold nextFresh confirmSeq
-- REPLY {'created' | 'exists', epoch}
-- A rebuild after a loss passes what is known to be sold; a new sale passes zeros.
local sale = KEYS[1]
local epoch = redis.call('HGET', sale, 'epoch')
if epoch then return {'exists', tonumber(epoch)} end

local capacity, sold = tonumber(ARGV[5]), tonumber(ARGV[18])
redis.call('HSET', sale,
  'version', ARGV[1], 'epoch', ARGV[2], 'seq', 1,
  'phase', ARGV[3], 'phaseSeq', ARGV[4],
  'capacity', ARGV[5], 'price', ARGV[6], 'limitPerBuyer', ARGV[7],
  'opensAtMs', ARGV[8], 'closesAtMs', ARGV[9], 'holdMs', ARGV[10], 'admissionMs', ARGV[11], 'rejoin', ARGV[12],
  'mode', ARGV[13], 'perSecond', ARGV[14], 'maxActive', ARGV[15], 'admissionSeq', ARGV[16],
  -- stock: available + held + sold = capacity
  'available', capacity - sold, 'held', 0, 'sold', sold,
  -- lowest ticket number never given out; the last number of confirmed orders
  'nextFresh', ARGV[19], 'confirmSeq', ARGV[20],
  -- waiting room: last number drawn, serving number, last number whose admission ran out
  'drawn', ARGV[17], 'serving', ARGV[17], 'expiredThrough', ARGV[17],
  -- active buyers = pending (admitted, window open, no hold) + inside (live holds)
  'pending', 0, 'inside', 0,
  'leaseHolder', '', 'leaseUntilMs', 0, 'fence', 0)
return {'created', tonumber(ARGV[2])}
