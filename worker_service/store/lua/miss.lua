-- miss: move a schedule on over ticks that came too late to be fired.
-- Guarantee: only forward; repeatable.
-- Keys: schedule schedules ticks watch changed
-- Uses: keys publish schedule
-- ARGV: 1 schedule  2 uid  3 version  4 the newest tick that is missed  5 next tick ('' = none)  6 how many
-- Returns: missed | already | changed
local name, tick, next = ARGV[1], ARGV[4], ARGV[5]
local found = redis.call('HMGET', schedule_key(name), 'uid', 'version', 'last', 'paused')
if found[1] ~= ARGV[2] or found[2] ~= ARGV[3] or found[4] then return 'changed' end
if found[3] and tonumber(found[3]) >= tonumber(tick) then return 'already' end
redis.call('HSET', schedule_key(name), 'last', tick)
redis.call('HINCRBY', schedule_key(name), 'missed', ARGV[6])
set_next(name, next)
note_tick(name, tick, 'tick', 'missed', ARGV[6])
return 'missed'
