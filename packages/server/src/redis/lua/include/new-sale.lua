-- Writes the hash of a sale. The arguments are those of create-sale, in its order.
local function writeNewSale(sale, args)
  local capacity, sold = tonumber(args[5]), tonumber(args[18])
  redis.call('HSET', sale,
    'version', args[1], 'epoch', args[2], 'seq', 1,
    'phase', args[3], 'phaseSeq', args[4],
    'capacity', args[5], 'price', args[6], 'limitPerBuyer', args[7],
    'opensAtMs', args[8], 'closesAtMs', args[9], 'holdMs', args[10], 'admissionMs', args[11], 'rejoin', args[12],
    'mode', args[13], 'perSecond', args[14], 'maxActive', args[15], 'admissionSeq', args[16],
    -- stock: available + held + sold = capacity
    'available', capacity - sold, 'held', 0, 'sold', sold,
    -- lowest ticket number never given out; the last number of confirmed orders
    'nextFresh', args[19], 'confirmSeq', args[20],
    -- waiting room: last number drawn, serving number, last number whose admission ran out
    'drawn', args[17], 'serving', args[17], 'expiredThrough', args[17],
    -- active buyers = pending (admitted, window open, no hold) + inside (live holds)
    'pending', 0, 'inside', 0,
    -- how long the time of the admission windows has stood still, and since when it does (0: it goes on)
    'windowsStoppedMs', 0, 'windowsStoppedAtMs', 0,
    'leaseHolder', '', 'leaseBeat', 0, 'fence', 0)
end
