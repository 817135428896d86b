-- purge: cancel jobs that wait in a queue, those first that would run first.
-- Guarantee: a cancelled job is never claimed, and what runs goes on; each job is cancelled whole or not at all. Of a
--   record that cannot be read the place is freed, and the doctor tells of it. Repeated, it cancels the next ones.
-- Keys: counted sessions job q due total m final watch ev jobs queues msg group unique wake tag tags changed arrivals deliveries hook deadlines
-- Uses: keys publish clock count place unique tags final cancelled
-- ARGV: 1 now  2 queue  3 limit (jobs in one call)
-- Returns: {number cancelled, 1 when more wait}
local now, queue, limit = clock(ARGV[1]), ARGV[2], tonumber(ARGV[3])
local WAITS = {queued = true, scheduled = true, retrying = true}
redis.call('ZREM', SESSIONS, '') -- frees, so that the rest passes when the server is out of memory
local cancelled = 0

local function cancel(id)
  local job = redis.call('HMGET', job_key(id), 'state', 'queue', 'actor', 'wait_reason', 'unique')
  if not WAITS[job[1]] or job[2] ~= queue then return end
  cancel_waiting(id, queue, job[3], job[4], job[5], now)
  cancelled = cancelled + 1
end

local function cancel_first(key, most)
  local ids = redis.call('ZRANGE', key, 0, most - 1)
  for _, id in ipairs(ids) do
    pcall(cancel, id)
    redis.call('ZREM', key, id) -- who is not cancelled does not belong there
  end
  return #ids
end

local looked = cancel_first(ready_key(queue), limit)
if looked < limit then looked = looked + cancel_first(due_key(queue), limit - looked) end
write_counts(now)
local more = redis.call('ZCARD', ready_key(queue)) + redis.call('ZCARD', due_key(queue)) > 0
return {cancelled, more and 1 or 0}
