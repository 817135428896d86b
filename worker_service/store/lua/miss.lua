-- miss: move a schedule on over ticks that came too late to be fired, or over an instant that is none of its ticks.
-- Guarantee: only forward, and only from where it stood when they were counted; repeatable.
-- Keys: schedule schedules ticks watch changed
-- Uses: keys publish schedule
-- ARGV: 1 schedule  2 uid  3 version  4 the tick that was due next  5 the newest tick that is missed  6 next tick
--   ('' = none)  7 how many ('0': there was none)  8 more ('+' when the counting was cut)
-- Returns: missed | already | changed
local name, due, tick, next, how_many = ARGV[1], ARGV[4], ARGV[5], ARGV[6], ARGV[7]
local key = schedule_key(name)
local found = redis.call('HMGET', key, 'uid', 'version', 'last', 'paused', 'next')
if found[1] ~= ARGV[2] or found[2] ~= ARGV[3] or found[4] then return 'changed' end
if how_many ~= '0' and found[3] and tonumber(found[3]) >= tonumber(tick) then return 'already' end
if found[5] ~= due then return 'changed' end
if how_many ~= '0' then
  redis.call('HSET', key, 'last', tick)
  redis.call('HINCRBY', key, 'missed', how_many)
  note_tick(ticks_key(name), tick, 'tick', 'missed', how_many .. ARGV[8])
end
redis.call('HDEL', key, 'hindered')
set_next(name, next)
return 'missed'
