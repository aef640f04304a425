-- Ticket numbers in stock are 'nextFresh … capacity' (never given out) and the sorted set of released ones.
-- Released numbers go first and the lowest first, so that a sale's numbers stay dense.
local function takeTickets(releasedKey, saleKey, quantity)
  local numbers = {}
  local popped = redis.call('ZPOPMIN', releasedKey, quantity)
  for i = 1, #popped, 2 do numbers[#numbers + 1] = tonumber(popped[i]) end
  local fresh = quantity - #numbers
  if fresh > 0 then
    local nextFresh = redis.call('HINCRBY', saleKey, 'nextFresh', fresh)
    for number = nextFresh - fresh, nextFresh - 1 do numbers[#numbers + 1] = number end
  end
  return numbers
end

local function returnTickets(releasedKey, csv)
  for number in string.gmatch(csv, '%d+') do redis.call('ZADD', releasedKey, number, number) end
end

local function splitTickets(csv)
  local numbers = {}
  for number in string.gmatch(csv, '%d+') do numbers[#numbers + 1] = tonumber(number) end
  return numbers
end
