-- fire: create the job of one tick of a schedule.
-- Guarantee: a tick that is not later than the last one fired makes no job; job and last tick are written
--   together, so however many schedulers fire a tick, however often, it has one job. None when another job does
--   its work already (duplicate).
-- Keys: schedule job msg jobs queues q due wake arrivals total m final watch ev group unique
-- Uses: keys clock count place end unique final create
-- ARGV: 1 now ('' = server clock)  2 schedule  3 tick  4.. fifteen values, see lib/create.lua
-- Returns: fired | already | duplicate
local now, schedule, tick = clock(ARGV[1]), schedule_key(ARGV[2]), ARGV[3]
local last = redis.call('HGET', schedule, 'last')
if last and tonumber(last) >= tonumber(tick) then return 'already' end
local word, other = create_job(ARGV, 4, now)
redis.call('HSET', schedule, 'last', tick)
write_counts(now)
if word == 'exists' then return 'already' end -- the schedule's key was removed since
if other then return 'duplicate' end
return 'fired'
