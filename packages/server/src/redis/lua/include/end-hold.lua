-- Returns the tickets of a hold in state `held` to stock. `h` is {quantity, tickets, account} as stored.
-- The hash stays for a while so that late questions get a defined answer.
local function endHold(saleKey, releasedKey, expiryKey, buyersKey, holdKey, holdId, h, ttl)
  local quantity = tonumber(h[1])
  returnTickets(releasedKey, h[2])
  redis.call('HSET', holdKey, 'state', 'released')
  redis.call('EXPIRE', holdKey, ttl)
  redis.call('ZREM', expiryKey, holdId)
  redis.call('HDEL', buyersKey, h[3])
  redis.call('HINCRBY', saleKey, 'available', quantity)
  redis.call('HINCRBY', saleKey, 'held', -quantity)
  redis.call('HINCRBY', saleKey, 'inside', -1)
  redis.call('HINCRBY', saleKey, 'seq', 1)
end
