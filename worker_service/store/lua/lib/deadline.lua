-- Deadlines. The set `deadlines` holds each job that waits, has one and has not begun: one that was started in time
-- may run again later, but one that a process only fetched and gave back may still expire.
local BEGAN = {'attempts', 'crashes', 'snoozes', 'began'} -- an attempt, a crash, a snooze, or an interrupted start

local function has_begun(id)
  for _, sign in ipairs(redis.call('HMGET', job_key(id), unpack(BEGAN))) do
    if sign then return true end
  end
  return false
end

local function set_deadline(id, at)
  if at then
    redis.call('HSET', job_key(id), 'expires_at', at)
    redis.call('ZADD', DEADLINES, at, id)
  else
    redis.call('HDEL', job_key(id), 'expires_at')
    redis.call('ZREM', DEADLINES, id)
  end
end

-- For a job that waits again.
local function watch_deadline(id)
  local at = redis.call('HGET', job_key(id), 'expires_at')
  if at and not has_begun(id) then redis.call('ZADD', DEADLINES, at, id) end
end
