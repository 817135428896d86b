-- begin_step: a run is about to do what must happen once.
-- Guarantee: only the holder of the job's token begins. A step that is done is not begun again, nor one that an
--   earlier run began without saying how it ended, unless the caller takes that upon itself. Repeated, it answers
--   the same.
-- Keys: job step
-- Uses: keys clock step
-- ARGV: 1 now  2 id  3 token  4 step  5 over (1: also when the outcome of an earlier run is unknown)
--       6 most (steps of one job)
-- Returns: {begun} | {done, result} | {unknown} | {too_many} | {stale}
local now, id, token, step = clock(ARGV[1]), ARGV[2], ARGV[3], ARGV[4]
local over, most = ARGV[5] == '1', tonumber(ARGV[6])
local job = redis.call('HMGET', job_key(id), 'token', 'state')
if job[1] ~= token or job[2] ~= 'running' then return {'stale'} end
local state, by, result = read_step(id, step)
if state == 'done' then return {'done', result} end
if state and by ~= token and not over then return {'unknown'} end
if not state and redis.call('HLEN', step_key(id)) >= most then return {'too_many'} end
write_step(id, step, 'begun', now, token)
return {'begun'}
