-- hinder_schedule: say why ticks of a schedule wait: the scheduler that leads cannot make jobs of them.
-- Guarantee: nothing is fired or given up; the reason goes with the next tick that is dealt with, or a new definition.
-- Keys: schedule watch changed
-- Uses: keys publish
-- ARGV: 1 schedule  2 uid  3 version  4 why
-- Returns: hindered | changed
local key = schedule_key(ARGV[1])
local found = redis.call('HMGET', key, 'uid', 'version')
if found[1] ~= ARGV[2] or found[2] ~= ARGV[3] then return 'changed' end
redis.call('HSET', key, 'hindered', ARGV[4])
publish_change('schedules')
return 'hindered'
