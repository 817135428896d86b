-- submit: create jobs, each queued or scheduled, together with the idempotency record of its request.
-- Guarantee: a job exists whole (record, message, place, idempotency record) or not at all; an id that exists
--   is left alone, so the call may be repeated after a lost reply. A key that was used creates no second job.
-- Keys: job msg jobs queues q due wake arrivals total m final watch ev idem
-- Uses: keys clock count place end create
-- ARGV: 1 now ('' = server clock)  2 number of jobs  3.. fourteen values each: name of the idempotency
--   record ('' = none), fingerprint of the request, keep_ms, then the eleven of lib/create.lua
-- Returns: one word per job: created | exists | replayed | conflict | too_late; each as {word, created_at},
--   a replayed one as {word, created_at, id, actor, queue, state or 'pruned'}
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

local function submit(i)
  local name, fingerprint, keep_ms = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  local job = i + IDEMPOTENCY_WIDTH
  local id = ARGV[job]
  if name ~= '' then
    local reply = remembered(name, fingerprint, id)
    if reply then return reply end
  end
  if is_too_late(job) then return {'too_late', 0} end
  if create_job(job, now) == 'exists' then
    local created_at = redis.call('HGET', job_key(id), 'created_at')
    return {'exists', tonumber(created_at)}
  end
  if name ~= '' then
    redis.call('HSET', idem_key(name), 'id', id, 'fingerprint', fingerprint, 'actor', ARGV[job + 2],
      'queue', ARGV[job + 1], 'created_at', now)
    redis.call('PEXPIRE', idem_key(name), keep_ms)
  end
  return {'created', now}
end

for k = 1, n do
  replies[k] = submit(3 + (k - 1) * (IDEMPOTENCY_WIDTH + CREATE_WIDTH))
end
write_counts(now)
return replies
