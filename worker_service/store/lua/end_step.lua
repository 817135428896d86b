-- end_step: a run says how its step ended.
-- Guarantee: only the holder of the job's token says so; a step that is done stays as it is, so the call may be
--   repeated after a lost reply.
-- Keys: sessions job step
-- Uses: keys clock step
-- ARGV: 1 now  2 id  3 token  4 step  5 outcome (done, not_done)  6 result (JSON)
-- Returns: ended | stale
local now, id, token, step, outcome, result = clock(ARGV[1]), ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]
redis.call('ZREM', SESSIONS, '') -- frees, so that the rest passes when the server is out of memory
local job = redis.call('HMGET', job_key(id), 'token', 'state')
if job[1] ~= token or job[2] ~= 'running' then return 'stale' end
if read_step(id, step) ~= 'done' then write_outcome(id, step, outcome, now, token, result) end
return 'ended'
