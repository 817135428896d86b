-- Where a waiting job stands. A score holds the priority above the arrival number: 2^46 arrivals fit
-- below each of the priorities -100..100 without leaving the 53 bits of a double.
local function new_place(priority)
  return priority * 70368744177664 + redis.call('INCR', ARRIVALS)
end

local function wake(queue)
  redis.call('ZADD', wake_key(queue), 0, 'w')
end

local function push_ready(queue, id, place)
  redis.call('ZADD', ready_key(queue), place, id)
  wake(queue)
end

-- A mark is set when the job is the next one due: some idle process then learns the new instant.
local function push_due(queue, id, at)
  redis.call('ZADD', due_key(queue), at, id)
  if redis.call('ZRANGE', due_key(queue), 0, 0)[1] == id then wake(queue) end
end

-- Back to where it was, uncharged: the delivery did not start, or was asked to stop (began: after it had started).
local function put_back(session, id, queue, place, began)
  assert(queue and place, 'damaged record')
  redis.call('HSET', job_key(id), 'state', 'queued')
  redis.call('HDEL', job_key(id), 'token', 'place')
  redis.call('HDEL', running_key(session), id)
  if began then redis.call('HSET', job_key(id), 'began', 1) else watch_deadline(id) end
  push_ready(queue, id, place)
  publish(id, 'queued')
end

-- Marks lost with the process that took them are set again wherever work waits.
local function wake_all()
  for _, queue in ipairs(redis.call('HKEYS', QUEUES)) do
    if redis.call('ZCARD', ready_key(queue)) + redis.call('ZCARD', due_key(queue)) > 0 then wake(queue) end
  end
end
