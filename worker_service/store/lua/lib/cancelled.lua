-- How a job that a person stopped ends, whoever held it last.
local function enter_cancelled(id, actor, now)
  redis.call('HDEL', job_key(id), 'token', 'place', 'wait_reason')
  redis.call('HSET', job_key(id), 'state', 'cancelled', 'finished_at', now)
  count(actor, 'cancelled', 1)
  enter_final(id, 'cancelled', now)
end

-- One that waits. What followed the owner of a lock does so no more.
local function cancel_waiting(id, queue, actor, wait_reason, digest, now)
  redis.call('ZREM', ready_key(queue), id)
  redis.call('ZREM', due_key(queue), id)
  if wait_reason == 'unique' then redis.call('HDEL', unique_key(digest), 'next') end
  enter_cancelled(id, actor, now)
end
