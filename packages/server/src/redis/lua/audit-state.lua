#!lua flags=no-writes
-- One look at the stock of a sale for an audit: the counters, and where the ticket numbers behind them are. All of it at
-- once, so that a number that moves is seen in one place only. The work is bounded: released numbers come in slices (call
-- again from `through` + 1), and of live holds only the ids, since the tickets of a hold never change while it is live.
-- KEYS  sale released expiry paying
-- ARGV  fromNumber releasedAtMost holdsAtMost
-- REPLY {'state' | 'crowded' (more live holds than asked for, none told), epoch, version, capacity, limitPerBuyer,
--        available, held, sold, nextFresh, confirmSeq, released numbers in all, live holds in all,
--        through (last number of this slice; 0: the slice reaches the end),
--        released numbers of the slice as ranges 'a-b,c,…', hold id, …}
--       {'missing'}
local sale, released, expiry, paying = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local fromNumber, releasedAtMost, holdsAtMost = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])

local s = redis.call('HMGET', sale, 'epoch', 'version', 'capacity', 'limitPerBuyer', 'available', 'held', 'sold',
  'nextFresh', 'confirmSeq')
if not s[1] then return {'missing'} end
local reply = {'state'}
for i = 1, 9 do reply[#reply + 1] = s[i] or '' end

local ranges, through = {}, 0
local first, last
local function endRange()
  if not first then return end
  if first == last then ranges[#ranges + 1] = first else ranges[#ranges + 1] = first .. '-' .. last end
end
local numbers = redis.call('ZRANGE', released, fromNumber, '+inf', 'BYSCORE', 'LIMIT', 0, releasedAtMost)
for _, number in ipairs(numbers) do
  if tonumber(last or '') and tonumber(number) == tonumber(last) + 1 then
    last = number
  else
    endRange()
    first, last = number, number
  end
end
endRange()
if #numbers == releasedAtMost then through = last end

local listed = redis.call('ZCARD', expiry) + redis.call('ZCARD', paying)
reply[#reply + 1] = redis.call('ZCARD', released)
reply[#reply + 1] = listed
reply[#reply + 1] = through
reply[#reply + 1] = table.concat(ranges, ',')
if listed > holdsAtMost then
  reply[1] = 'crowded'
  return reply
end

for _, list in ipairs({expiry, paying}) do
  for _, holdId in ipairs(redis.call('ZRANGE', list, 0, -1)) do reply[#reply + 1] = holdId end
end
return reply
