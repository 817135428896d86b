-- Uniqueness. The hash unique:<digest> is the lock of one piece of work: it names the owner, and the one job that
-- follows when the owner ends (next). The record of the owner says so too (holds = the digest): a lock that only one
-- of the two knows of is void. That of a window has no `holds`: it ends by itself, whatever becomes of its job.
-- The term of a lock, kept with the job (until): start | done | success | milliseconds of a window.
local function take_lock(id, digest, term, now)
  local key = unique_key(digest)
  redis.call('HSET', key, 'owner', id)
  if tonumber(term) then
    redis.call('HSET', key, 'window', 1)
    redis.call('PEXPIRE', key, term)
  else
    redis.call('HSET', job_key(id), 'holds', digest)
  end
end

-- The owner is gone: what follows it takes its place, and may be claimed from now on.
local function pass_on(digest, now)
  local heir = redis.call('HGET', unique_key(digest), 'next')
  redis.call('DEL', unique_key(digest))
  if not heir then return end
  local job = redis.call('HMGET', job_key(heir), 'wait_reason', 'queue', 'due_at', 'until')
  if job[1] ~= 'unique' then return end
  local due = math.max(now, tonumber(job[3] or 0))
  take_lock(heir, digest, job[4], now)
  redis.call('HSET', job_key(heir), 'wait_reason', 'asked', 'due_at', due)
  push_due(job[2], heir, due)
  return heir
end

-- The job that holds a lock, if any does.
local function lock_owner(digest, now)
  local lock = redis.call('HMGET', unique_key(digest), 'owner', 'window')
  if not lock[1] or lock[2] then return lock[1] end
  if redis.call('HGET', job_key(lock[1]), 'holds') == digest then return lock[1] end
  return pass_on(digest, now)
end

local function release_lock(id, digest, now)
  redis.call('HDEL', job_key(id), 'holds')
  if redis.call('HGET', unique_key(digest), 'owner') == id then pass_on(digest, now) end
end

-- At the end of a job. A dead one keeps the lock when only success frees it.
local function release_at_end(id, state, now)
  local job = redis.call('HMGET', job_key(id), 'holds', 'until')
  if job[1] and not (state == 'dead' and job[2] == 'success') then release_lock(id, job[1], now) end
end

-- When the record goes, which a dead owner may have left with its lock.
local function release_at_last(id, now)
  local digest = redis.call('HGET', job_key(id), 'holds')
  if digest then release_lock(id, digest, now) end
end
