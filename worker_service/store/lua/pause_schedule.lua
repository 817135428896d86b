-- pause_schedule: no tick of a schedule is fired until it is resumed.
-- Guarantee: jobs of earlier ticks go on; a second pause replaces the first.
-- Keys: schedule schedules meta bell watch changed
-- Uses: keys publish schedule
-- ARGV: 1 name  2 about (JSON: why, since when)
-- Returns: paused | unknown
local name, about = ARGV[1], ARGV[2]
if redis.call('EXISTS', schedule_key(name)) == 0 then return 'unknown' end
redis.call('HSET', schedule_key(name), 'paused', about)
redis.call('ZADD', SCHEDULES, '+inf', name)
tell_schedulers()
return 'paused'
