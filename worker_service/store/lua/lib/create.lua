-- Create one job from the eleven values at ARGV[i]:
--   id, queue, actor, priority, due, expires, max_attempts, max_crashes, parent, dead_reason, message
-- due and expires: see instant(). A dead_reason creates the job dead (a follow-up that cannot run).
-- Returns 'created', or 'exists' when a job has this id already (a repeated call).
local CREATE_WIDTH = 11

local function create_job(i, now)
  local id, queue, actor, priority = ARGV[i], ARGV[i + 1], ARGV[i + 2], tonumber(ARGV[i + 3])
  local due, expires = instant(ARGV[i + 4], now), instant(ARGV[i + 5], now)
  local max_attempts, max_crashes = tonumber(ARGV[i + 6]), tonumber(ARGV[i + 7])
  local parent, dead_reason, message = ARGV[i + 8], ARGV[i + 9], ARGV[i + 10]
  local job = job_key(id)
  if redis.call('EXISTS', job) == 1 then return 'exists' end

  local state = 'queued'
  if dead_reason ~= '' then state = 'dead' elseif due and due > now then state = 'scheduled' end
  redis.call('HSET', job, 'v', 1, 'state', state, 'queue', queue, 'actor', actor, 'priority', priority,
    'created_at', now, 'max_attempts', max_attempts, 'max_crashes', max_crashes)
  if due then redis.call('HSET', job, 'due_at', due) end
  if expires then redis.call('HSET', job, 'expires_at', expires) end
  if parent ~= '' then redis.call('HSET', job, 'parent', parent) end
  redis.call('SET', msg_key(id), message)
  redis.call('ZADD', JOBS, now, id)
  redis.call('HSETNX', QUEUES, queue, now)
  count(actor, 'enqueued', 1)
  if state == 'queued' then
    push_ready(queue, id, new_place(priority))
  elseif state == 'scheduled' then
    redis.call('HSET', job, 'wait_reason', 'asked')
    push_due(queue, id, due)
  else
    redis.call('HSET', job, 'reason', dead_reason, 'finished_at', now)
    count(actor, 'dead', 1)
    enter_final(id, 'dead', now)
  end
  return 'created'
end
