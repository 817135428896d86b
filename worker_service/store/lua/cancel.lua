-- cancel: stop a job that has not started.
-- Guarantee: a cancelled job is never claimed; repeatable.
-- Keys: sessions job q due total m final watch ev
-- Uses: keys clock count end
-- ARGV: 1 now  2 id
-- Returns: cancelled | running | finished | unknown
local now, id = clock(ARGV[1]), ARGV[2]
redis.call('ZREM', SESSIONS, '') -- frees, so that the rest passes when the server is out of memory
local job = redis.call('HMGET', job_key(id), 'state', 'queue', 'actor')
local state, queue, actor = job[1], job[2], job[3]
if not state then return 'unknown' end
if state == 'cancelled' then return 'cancelled' end
if state == 'running' then return 'running' end
if state ~= 'queued' and state ~= 'scheduled' and state ~= 'retrying' then return 'finished' end
redis.call('ZREM', ready_key(queue), id)
redis.call('ZREM', due_key(queue), id)
redis.call('HDEL', job_key(id), 'wait_reason')
redis.call('HSET', job_key(id), 'state', 'cancelled', 'finished_at', now)
count(actor, 'cancelled', 1)
enter_final(id, 'cancelled', now)
write_counts(now)
return 'cancelled'
