-- cancel: stop a job at once, or ask the process that runs it to stop.
-- Guarantee: a cancelled job is never claimed; one that runs never runs again, whatever becomes of its process;
--   repeatable.
-- Keys: counted sessions job q due bell total m final watch ev jobs queues msg group unique wake tag tags changed arrivals deliveries hook deadlines
-- Uses: keys publish clock count place unique tags final cancelled
-- ARGV: 1 now  2 id
-- Returns: cancelled | asked | finished | unknown
local now, id = clock(ARGV[1]), ARGV[2]
redis.call('ZREM', SESSIONS, '') -- frees, so that the rest passes when the server is out of memory
local job = redis.call('HMGET', job_key(id), 'state', 'queue', 'actor', 'token', 'wait_reason', 'unique')
local state, queue, actor, token = job[1], job[2], job[3], job[4]
if not state then return 'unknown' end
if state == 'cancelled' then return 'cancelled' end
if state == 'running' then
  redis.call('HSET', job_key(id), 'cancel_asked', now)
  redis.call('ZADD', bell_key(token:match('^(.*):')), 0, 'cancel ' .. token .. ' ' .. id)
  return 'asked'
end
if state ~= 'queued' and state ~= 'scheduled' and state ~= 'retrying' then return 'finished' end
cancel_waiting(id, queue, actor, job[5], job[6], now)
write_counts(now)
return 'cancelled'
