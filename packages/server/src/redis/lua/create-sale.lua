#!lua
-- Creates the state of a sale. Does nothing when there is one: stock that was sold can never be raised this way.
-- KEYS  sale
-- ARGV  version epoch phase phaseSeq capacity price limitPerBuyer opensAtMs closesAtMs holdMs admissionMs rejoin
--       mode perSecond maxActive admissionSeq drawn sold nextFresh confirmSeq
-- REPLY {'created' | 'exists', epoch}
local sale = KEYS[1]
local epoch = redis.call('HGET', sale, 'epoch')
if epoch then return {'exists', epoch} end
-- @include new-sale

writeNewSale(sale, ARGV)
return {'created', ARGV[2]}
