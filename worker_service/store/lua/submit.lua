-- submit: create jobs, each queued or scheduled, together with the idempotency record of its request.
-- Guarantee: a job exists whole (record, message, place, lock, idempotency record) or not at all; an id that exists
--   is left alone, so the call may be repeated after a lost reply. A key that was used creates no second job, nor
--   does work whose lock another job holds: that is answered under the key as well, unless it was rejected.
-- Keys: job msg jobs queues q due wake arrivals total m final group watch ev idem unique tag tags
-- Uses: keys clock count place end unique tags final create
-- ARGV: 1 now ('' = server clock)  2 number of jobs  3.. eighteen values each: name of the idempotency
--   record ('' = none), fingerprint of the request, keep_ms, then the sixteen of lib/create.lua
-- Returns: one word per job: created | follows | exists | replayed | conflict | too_late | duplicate | replaced |
--   rejected; each as {word, created_at}, one for which there is another job as {word, created_at, id, actor, queue,
--   state or 'pruned'}
local now, n = clock(ARGV[1]), tonumber(ARGV[2])
local IDEMPOTENCY_WIDTH = 3
local replies = {}

-- The job that this key made before: the same request gets it again, another one is told so.
local function remembered(name, fingerprint, id)
  local record = redis.call('HMGET', idem_key(name), 'id', 'fingerprint', 'actor', 'queue', 'created_at')
  if not record[1] or record[1] == id then return nil end
  if record[2] ~= fingerprint then return {'conflict', 0} end
  local state = redis.call('HGET', job_key(record[1]), 'state') or 'pruned'
  return {'replayed', tonumber(record[5]), record[1], record[3], record[4], state}
end

-- Whether a new job could never start: it would have expired before it is due.
local function is_too_late(i)
  local due, expires = instant(ARGV[i + 4], now), instant(ARGV[i + 5], now)
  return expires and expires <= math.max(now, due or now) and redis.call('EXISTS', job_key(ARGV[i])) == 0
end

-- The job that is there instead; one whose window goes on may be pruned already.
local function other_job(id)
  local job = redis.call('HMGET', job_key(id), 'created_at', 'actor', 'queue', 'state')
  local state = job[4] or 'pruned'
  return {tonumber(job[1] or 0), id, job[2] or '', job[3] or '', state}
end

local function submit(i)
  local name, fingerprint, keep_ms = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  local job = i + IDEMPOTENCY_WIDTH
  local id = ARGV[job]
  if name ~= '' then
    local reply = remembered(name, fingerprint, id)
    if reply then return reply end
  end
  if is_too_late(job) then return {'too_late', 0} end
  local word, other = create_job(ARGV, job, now)
  local about = other and other_job(other) or {now, id, ARGV[job + 2], ARGV[job + 1]}
  if word == 'exists' then about[1] = tonumber(redis.call('HGET', job_key(id), 'created_at')) end
  if name ~= '' and word ~= 'exists' and word ~= 'rejected' then
    redis.call('HSET', idem_key(name), 'id', about[2], 'fingerprint', fingerprint, 'actor', about[3],
      'queue', about[4], 'created_at', about[1])
    redis.call('PEXPIRE', idem_key(name), keep_ms)
  end
  if other then return {word, unpack(about)} end
  return {word, about[1]}
end

for k = 1, n do
  replies[k] = submit(3 + (k - 1) * (IDEMPOTENCY_WIDTH + CREATE_WIDTH))
end
write_counts(now)
return replies
