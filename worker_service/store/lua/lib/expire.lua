-- How a job ends that was not started before its deadline, whoever meets it first.
-- Begins with a write that is refused when the server is out of memory, unless the script has freed some before.
local MAY_EXPIRE = {queued = true, scheduled = true}

-- Returns true when it has expired now.
local function expire_if_overdue(id, now)
  local job = redis.call('HMGET', job_key(id), 'state', 'queue', 'actor', 'expires_at', 'wait_reason', 'unique')
  local at = tonumber(job[4] or nil)
  if not (MAY_EXPIRE[job[1]] and job[2] and at and at <= now) or has_begun(id) then return false end
  redis.call('HSET', job_key(id), 'state', 'expired', 'finished_at', now)
  redis.call('HDEL', job_key(id), 'wait_reason')
  redis.call('ZREM', ready_key(job[2]), id)
  redis.call('ZREM', due_key(job[2]), id)
  if job[5] == 'unique' and job[6] then redis.call('HDEL', unique_key(job[6]), 'next') end
  count(job[3], 'expired', 1)
  enter_final(id, 'expired', now)
  return true
end

-- The job that holds a lock and is not overdue, nor is what follows it.
local function live_owner(digest, now)
  local owner = lock_owner(digest, now)
  while owner and expire_if_overdue(owner, now) do owner = lock_owner(digest, now) end
  local heir = owner and redis.call('HGET', unique_key(digest), 'next')
  if heir then expire_if_overdue(heir, now) end
  return owner
end
