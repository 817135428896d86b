-- spend: take from what somebody may ask for in a window, which begins with the first request after the last one.
-- Guarantee: all that is asked for is taken, or nothing. A call that is repeated after a lost reply takes twice, which
--   costs its caller a part of one window and nobody else anything.
-- Keys: quota sessions
-- Uses: keys
-- ARGV: 1 whose  2 how much  3 most in a window  4 window in ms
-- Returns: {spent | refused, what is left, ms until the window ends}
local key, much, most, window = quota_key(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
redis.call('ZREM', SESSIONS, '') -- frees, so that the rest passes when the server is out of memory
local used, left_ms = tonumber(redis.call('GET', key) or 0), redis.call('PTTL', key)
if left_ms < 0 then
  used, left_ms = 0, window
  redis.call('SET', key, 0, 'PX', window)
end
if used + much > most then return {'refused', math.max(0, most - used), left_ms} end
redis.call('INCRBY', key, much)
return {'spent', most - used - much, left_ms}
