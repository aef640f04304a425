#!lua flags=allow-oom
-- Leaves the answer about a payment to MySQL, whatever Redis says of it, until an outcome is shown anew.
-- KEYS  payment
-- REPLY {'forgotten' | 'final'}
-- `refunded` is final: no store knows better, and MySQL may still have to hear of it from another server's log.
if redis.call('HGET', KEYS[1], 'status') == 'refunded' then return {'final'} end
redis.call('HDEL', KEYS[1], 'epoch')
return {'forgotten'}
