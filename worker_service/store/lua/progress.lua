-- progress: note how far a running job is.
-- Guarantee: only the holder of the job's token writes; the last one that is written stands.
-- Keys: job out watch ev
-- Uses: keys end
-- ARGV: 1 id  2 token  3 progress (JSON)
-- Returns: done | stale
local id, token, progress = ARGV[1], ARGV[2], ARGV[3]
local job = redis.call('HMGET', job_key(id), 'token', 'state')
if job[1] ~= token or job[2] ~= 'running' then return 'stale' end
write_out(id, 'progress', progress)
publish(id, 'progress')
return 'done'
