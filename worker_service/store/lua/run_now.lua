-- run_now: a person lets a job run that waits for its time.
-- Guarantee: it may be claimed from now on, after those of its priority that came before; one that waits for the end of
--   another job that does its work (locked) is left as it is. Repeated, it changes nothing.
-- Keys: sessions job q due wake arrivals watch ev changed
-- Uses: keys publish clock place
-- ARGV: 1 now  2 id
-- Returns: queued | locked | running | finished | damaged | unknown
local now, id = clock(ARGV[1]), ARGV[2]
redis.call('ZREM', SESSIONS, '') -- frees: it takes no memory that the job has not had in its other place
if redis.call('EXISTS', job_key(id)) == 0 then return 'unknown' end
local job = redis.pcall('HMGET', job_key(id), 'state', 'queue', 'priority', 'wait_reason')
if job.err or not job[1] then return 'damaged' end
local state, queue, priority = job[1], job[2], tonumber(job[3])
if state == 'running' then return 'running' end
if state == 'queued' then return 'queued' end
if state ~= 'scheduled' and state ~= 'retrying' then return 'finished' end
if job[4] == 'unique' then return 'locked' end
if not (queue and priority) then return 'damaged' end
redis.call('ZREM', due_key(queue), id)
redis.call('HSET', job_key(id), 'state', 'queued', 'due_at', now)
redis.call('HDEL', job_key(id), 'wait_reason')
push_ready(queue, id, new_place(priority))
publish(id, 'queued')
return 'queued'
