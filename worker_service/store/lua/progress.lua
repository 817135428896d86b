-- progress: note how far a running job is, and perhaps where another delivery of it would go on.
-- Guarantee: only the holder of the job's token writes; the last one that is written stands.
-- Keys: job out watch ev changed
-- Uses: keys publish end
-- ARGV: 1 id  2 token  3 progress (JSON)  4 checkpoint (JSON or '' = as it was)
-- Returns: done | stale
local id, token, progress, checkpoint = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local job = redis.call('HMGET', job_key(id), 'token', 'state')
if job[1] ~= token or job[2] ~= 'running' then return 'stale' end
write_out(id, 'progress', progress)
if checkpoint ~= '' then write_out(id, 'checkpoint', checkpoint) end
publish(id, 'progress')
return 'done'
