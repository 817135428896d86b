-- fire: create the job of one tick of a schedule, and move the schedule on.
-- Guarantee: a tick that is not later than the last one fired makes no job; job, last and next tick are written
--   together, so however many schedulers fire a tick, however often, it has one job. None when an earlier job of the
--   schedule is still there, where that is asked for. What is run by hand or backfilled moves nothing.
-- Keys: schedule schedules ticks job msg jobs queues q due wake arrivals total m final watch ev group unique tag tags changed deliveries hook deadlines
-- Uses: keys publish clock count deadline place unique tags final expire create schedule
-- ARGV: 1 now ('' = server clock)  2 schedule  3 uid  4 version  5 tick  6 cause (tick | backfill | run_now)
--   7 next tick ('' = none)  8.. seventeen values, see lib/create.lua
-- Returns: {fired | follows | already | skipped | changed | paused, id of the earlier job when skipped}
local now, name, tick, cause, next = clock(ARGV[1]), ARGV[2], ARGV[5], ARGV[6], ARGV[7]
local key, values = schedule_key(name), 8
local found = redis.call('HMGET', key, 'uid', 'version', 'last', 'paused', 'runs', 'max_runs')
if found[1] ~= ARGV[3] or found[2] ~= ARGV[4] then return {'changed'} end
local is_tick = cause == 'tick'
if is_tick and found[3] and tonumber(found[3]) >= tonumber(tick) then return {'already'} end
if is_tick and found[4] then return {'paused'} end
local most = tonumber(found[6] or '')
if is_tick and most and tonumber(found[5] or 0) >= most then return {'changed'} end

local id = ARGV[values]
local word, earlier = create_job(ARGV, values, now)
if word == 'exists' and not is_tick then return {'already'} end
if is_tick then
  redis.call('HSET', key, 'last', tick)
  redis.call('HDEL', key, 'hindered')
  if not earlier then redis.call('HINCRBY', key, 'runs', 1) end
  set_next(name, next)
end
if word == 'exists' then return {'already'} end -- the schedule was removed since, and made again
if earlier and is_tick then
  redis.call('HINCRBY', key, 'skipped', 1)
  note_tick(name, tick, cause, 'skipped', earlier)
elseif not earlier then
  redis.call('HSET', job_key(id), 'schedule', name, 'tick', tick)
  note_tick(name, tick, cause, 'fired', id)
end
write_counts(now)
if earlier then return {'skipped', earlier} end
if word == 'follows' then return {'follows'} end
return {'fired'}
