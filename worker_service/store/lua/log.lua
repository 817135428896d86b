-- log: add a line to the log of a running job.
-- Guarantee: only the holder of the job's token writes; the newest thousand lines or so are kept. A call that is
--   repeated after a lost reply may write its line twice.
-- Keys: job log watch ev changed
-- Uses: keys publish
-- ARGV: 1 id  2 token  3 the line
-- Returns: done | stale
local id, token, line = ARGV[1], ARGV[2], ARGV[3]
local KEPT_LINES = 1000
local job = redis.call('HMGET', job_key(id), 'token', 'state', 'deliveries')
if job[1] ~= token or job[2] ~= 'running' then return 'stale' end
redis.call('XADD', log_key(id), 'MAXLEN', '~', KEPT_LINES, '*', 'n', job[3] or '', 'line', line)
publish(id, 'log')
return 'done'
