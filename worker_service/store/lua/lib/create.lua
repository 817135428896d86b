-- Create one job from the seventeen values at values[i]:
--   id, queue, actor, priority, due, expires, max_attempts, max_crashes, parent, dead_reason, group,
--   member (1: completing counts in the group), callbacks of the group (see lib/final.lua),
--   unique ('' or 'digest term on_conflict max_wait_ms fixed', see lib/unique.lua), message,
--   tags ('' or parted by spaces, see lib/tags.lua),
--   webhook ('' or its events and the job that tells, written as in lib/final.lua)
-- due and expires: see instant(). A dead_reason creates the job dead (a follow-up that cannot run).
-- Returns 'created'; 'follows' when it waits for the end of the owner of its lock; 'exists' when a job has this id
-- already (a repeated call). No job is created, and the second value is the one that is there instead, with
-- 'duplicate', 'replaced' (that one has the new message now) and 'rejected'. It is 'full' alone
-- when is_full(queue), if given, says that no job comes in from outside; what comes of accepted jobs is never refused.
local function join_as_new(id, group, member, callbacks)
  redis.call('HSET', job_key(id), 'group', group)
  if member == '1' then redis.call('HSET', job_key(id), 'member', 1) end
  if callbacks ~= '' and redis.call('TYPE', group_key(group)).ok == 'hash' then
    redis.call('HSETNX', group_key(group), 'callbacks', callbacks)
  end
end

local WAITING = {queued = true, scheduled = true, retrying = true}

-- Whether a job was never started, so that it may get the message of a newer one of its actor. The head of a pipeline
-- (fixed) would lose what follows it.
local function is_replaceable(id, values, i)
  local job = redis.call('HMGET', job_key(id), 'state', 'actor', 'deliveries', 'fixed')
  return WAITING[job[1]] and job[2] == values[i + 2] and not job[3] and not job[4]
end

-- A job that is replaceable gets the message and the deadline of a newer one. Debounced, it also waits longer, but never
-- past max_wait_ms.
local function replace_waiting(id, values, i, due, debounce, max_wait, now)
  local job = redis.call('HMGET', job_key(id), 'queue', 'created_at', 'wait_reason')
  redis.call('SET', msg_key(id), values[i + 14])
  untag_job(id)
  if values[i + 15] ~= '' then tag_job(id, values[i + 15], job[2]) end
  if values[i + 16] ~= '' then write_hook(id, values[i + 16]) end
  set_deadline(id, instant(values[i + 5], now))
  if debounce and due and job[3] ~= 'unique' then
    if tonumber(max_wait) then due = math.min(due, tonumber(job[2]) + tonumber(max_wait)) end
    due = math.max(due, now)
    redis.call('ZREM', ready_key(job[1]), id)
    redis.call('HSET', job_key(id), 'state', 'scheduled', 'wait_reason', 'asked', 'due_at', due)
    push_due(job[1], id, due)
  end
  publish(id, 'replaced')
end

-- What is to become of a job whose work somebody else owns; nothing when it is to follow that one. Only looks.
local function settle_conflict(values, i, owner, digest, on_conflict)
  local lock = redis.call('HMGET', unique_key(digest), 'next', 'window')
  if on_conflict == 'return' then return 'duplicate', owner end
  if on_conflict == 'reject' then return 'rejected', owner end
  if on_conflict == 'buffer' then -- one follows, and further ones are left out
    if lock[1] then return 'duplicate', owner end
    return
  end
  if on_conflict == 'keep_last' and lock[1] then -- the newest of those that follow: only one does
    if is_replaceable(lock[1], values, i) then return 'replaced', lock[1] end
    return 'rejected', lock[1]
  end
  if is_replaceable(owner, values, i) then return 'replaced', owner end
  local state = redis.call('HGET', job_key(owner), 'state')
  if on_conflict ~= 'keep_last' or lock[2] or not (WAITING[state] or state == 'running') then
    return 'rejected', owner
  end
end

local function uniqueness(values, i)
  return values[i + 13]:match('^(%S+) (%S+) (%S+) (%S+) %S+$')
end

local function create_job(values, i, now, is_full)
  local id, queue, priority = values[i], values[i + 1], values[i + 3]
  local due, expires, dead_reason = instant(values[i + 4], now), instant(values[i + 5], now), values[i + 9]
  local digest, term, on_conflict, max_wait = uniqueness(values, i)
  local job = job_key(id)
  if redis.call('EXISTS', job) == 1 then return 'exists' end

  local owner = digest and dead_reason == '' and live_owner(digest, now)
  if owner and values[i + 10] ~= '' then
    dead_reason = 'duplicate' -- its group would wait for it without end
  elseif owner then
    local word, other = settle_conflict(values, i, owner, digest, on_conflict)
    if word == 'replaced' then replace_waiting(other, values, i, due, on_conflict == 'debounce', max_wait, now) end
    if word then
      count(values[i + 2], 'duplicates', 1)
      return word, other
    end
  end

  if is_full and is_full(queue) then return 'full' end
  local state = 'queued'
  if dead_reason ~= '' then state = 'dead' elseif owner or (due and due > now) then state = 'scheduled' end
  write_new(values, i, state, now)
  if due then redis.call('HSET', job, 'due_at', due) end
  if expires then set_deadline(id, expires) end
  if values[i + 10] ~= '' then join_as_new(id, values[i + 10], values[i + 11], values[i + 12]) end
  if state == 'dead' then
    redis.call('HSET', job, 'reason', dead_reason, 'finished_at', now)
    count(values[i + 2], 'dead', 1)
    enter_final(id, 'dead', now)
    return 'created'
  end
  if owner then
    redis.call('HSET', unique_key(digest), 'next', id)
    redis.call('HSET', job, 'wait_reason', 'unique')
    redis.call('ZADD', due_key(queue), '+inf', id)
    return 'follows'
  end
  if digest then take_lock(id, digest, term, now) end
  if state == 'queued' then
    push_ready(queue, id, new_place(priority))
  else
    redis.call('HSET', job, 'wait_reason', 'asked')
    push_due(queue, id, due)
  end
  return 'created'
end

-- A job that comes of another one. Nobody waits for the answer: a conflict is told in the log of that other one.
local function create_follow_up(values, i, parent, now)
  local word, other = create_job(values, i, now)
  if other and parent ~= '' then
    local line = word .. ': the follow-up ' .. values[i + 2] .. ' was not created, for ' .. other .. ' does its work'
    redis.call('XADD', log_key(parent), 'MAXLEN', '~', 1000, '*', 'n', '', 'line', line)
  end
end
