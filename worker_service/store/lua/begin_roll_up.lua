-- begin_roll_up: let one process sum up what was counted lately, once in each minute.
-- Guarantee: told to one process a minute. It is told of the ten minutes before too, so what one did not end that died
--   at it is made up for in the next minute.
-- Keys: sessions meta counted
-- Uses: keys clock
-- ARGV: 1 now  2 reach (minutes, no further back)  3 forgotten (minutes after which an actor that counts nothing is)
-- Returns: {} when another one was told, or {first minute, this minute, actors that have counted since}
local now = clock(ARGV[1])
local minute = math.floor(now / 60000)
local reach, forgotten = minute - tonumber(ARGV[2]), minute - tonumber(ARGV[3])
redis.call('ZREM', SESSIONS, '') -- frees, so that the rest passes when the server is out of memory
local last = tonumber(redis.call('HGET', META, 'rolled_up') or '') or minute - 1
if last >= minute and last < minute + 10 then return {} end -- a clock that was far ahead holds up nobody
redis.call('HSET', META, 'rolled_up', minute)
redis.call('ZREMRANGEBYSCORE', COUNTED, '-inf', '(' .. forgotten)
local first = math.max(math.min(last, minute) - 10, reach)
return {first, minute, redis.call('ZRANGEBYSCORE', COUNTED, first, '+inf')}
