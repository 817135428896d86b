-- resume_schedule: ticks are fired again, from the given one on; those of the pause are not made up for.
-- Guarantee: repeatable; a schedule that was replaced meanwhile is left to who replaced it.
-- Keys: schedule schedules meta bell watch changed
-- Uses: keys publish schedule
-- ARGV: 1 name  2 version  3 next tick ('' = none)
-- Returns: resumed | unknown | changed
local name, version, next = ARGV[1], ARGV[2], ARGV[3]
local found = redis.call('HMGET', schedule_key(name), 'version', 'paused')
if not found[1] then return 'unknown' end
if not found[2] then return 'resumed' end
if found[1] ~= version or is_behind(name, next) then return 'changed' end
redis.call('HDEL', schedule_key(name), 'paused')
set_next(name, next)
tell_schedulers()
return 'resumed'
