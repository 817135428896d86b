-- fire: create the job of one tick of a schedule, and move the schedule on.
-- Guarantee: a tick that is not later than the last one fired makes no job; job, last and next tick are written
--   together, so however many schedulers fire a tick, however often, it has one job. None when an earlier job of the
--   schedule is still there, where that is asked for. What is run by hand or backfilled moves nothing; a request for it
--   that comes again under its key makes no second job.
-- Keys: counted schedule schedules ticks job msg jobs queues q due wake arrivals total m final watch ev group unique tag tags changed deliveries hook deadlines idem asked
-- Uses: keys publish clock count deadline place unique tags final expire create schedule idempotency
-- ARGV: 1 now ('' = server clock)  2 schedule  3 uid  4 version  5 tick  6 cause (tick | backfill | run_now)
--   7 next tick ('' = none)  8 name of the idempotency record ('' = none)  9 fingerprint of the request  10 keep_ms
--   11.. seventeen values, see lib/create.lua
-- Returns: {fired | follows | already | skipped | changed | paused | conflict | replayed}; skipped with the id of the
--   earlier job, replayed with created_at, id, actor, queue and state (or 'pruned') of the one that the key made
local now, name, tick, cause, next = clock(ARGV[1]), ARGV[2], ARGV[5], ARGV[6], ARGV[7]
local key, values = schedule_key(name), 11
local id = ARGV[values]
local known, about = remembered(ARGV[8], ARGV[9], id)
if known == 'conflict' then return {'conflict'} end
if known then return {'replayed', unpack(about)} end
local found = redis.call('HMGET', key, 'uid', 'version', 'last', 'paused', 'runs', 'max_runs')
if found[1] ~= ARGV[3] or found[2] ~= ARGV[4] then return {'changed'} end
local is_tick = cause == 'tick'
if is_tick and found[3] and tonumber(found[3]) >= tonumber(tick) then return {'already'} end
if is_tick and found[4] then return {'paused'} end
local most = tonumber(found[6] or '')
if is_tick and most and tonumber(found[5] or 0) >= most then return {'changed'} end

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
  note_tick(ticks_key(name), tick, cause, 'skipped', earlier)
elseif not earlier then
  redis.call('HSET', job_key(id), 'schedule', name, 'tick', tick)
  note_tick(is_tick and ticks_key(name) or asked_key(name), tick, cause, 'fired', id)
  remember(ARGV[8], ARGV[9], ARGV[10], id, ARGV[values + 2], ARGV[values + 1], now)
end
write_counts(now)
if earlier then return {'skipped', earlier} end
if word == 'follows' then return {'follows'} end
return {'fired'}
