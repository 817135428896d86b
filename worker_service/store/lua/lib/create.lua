-- Create one job from the fourteen values at values[i]:
--   id, queue, actor, priority, due, expires, max_attempts, max_crashes, parent, dead_reason, group,
--   member (1: completing counts in the group), callbacks of the group (see lib/final.lua), message
-- due and expires: see instant(). A dead_reason creates the job dead (a follow-up that cannot run).
-- Returns 'created', or 'exists' when a job has this id already (a repeated call).
local function join_as_new(id, group, member, callbacks)
  redis.call('HSET', job_key(id), 'group', group)
  if member == '1' then redis.call('HSET', job_key(id), 'member', 1) end
  if callbacks ~= '' and redis.call('TYPE', group_key(group)).ok == 'hash' then
    redis.call('HSETNX', group_key(group), 'callbacks', callbacks)
  end
end

local function create_job(values, i, now)
  local id, queue, priority = values[i], values[i + 1], values[i + 3]
  local due, expires, dead_reason = instant(values[i + 4], now), instant(values[i + 5], now), values[i + 9]
  local job = job_key(id)
  if redis.call('EXISTS', job) == 1 then return 'exists' end

  local state = 'queued'
  if dead_reason ~= '' then state = 'dead' elseif due and due > now then state = 'scheduled' end
  write_new(values, i, state, now)
  if due then redis.call('HSET', job, 'due_at', due) end
  if expires then redis.call('HSET', job, 'expires_at', expires) end
  if values[i + 10] ~= '' then join_as_new(id, values[i + 10], values[i + 11], values[i + 12]) end
  if state == 'queued' then
    push_ready(queue, id, new_place(priority))
  elseif state == 'scheduled' then
    redis.call('HSET', job, 'wait_reason', 'asked')
    push_due(queue, id, due)
  else
    redis.call('HSET', job, 'reason', dead_reason, 'finished_at', now)
    count(values[i + 2], 'dead', 1)
    enter_final(id, 'dead', now)
  end
  return 'created'
end
