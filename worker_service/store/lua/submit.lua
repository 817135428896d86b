-- submit: create jobs, each queued or scheduled, together with the idempotency record of its request.
-- Guarantee: a job exists whole (record, message, place, lock, idempotency record) or not at all; an id that exists
--   is left alone, so the call may be repeated after a lost reply. A key that was used creates no second job, nor
--   does work whose lock another job holds: that is answered under the key as well, unless it was rejected. No job
--   comes into a queue that holds as many as its limit allows (full). All or none: when one of the jobs is refused,
--   nothing is written (held_back); two that have a key or a lock in common must not be among them.
-- Keys: counted job msg jobs queues limits q due wake arrivals total m final group watch ev idem unique tag tags changed deliveries hook deadlines
-- Uses: keys publish clock count deadline place unique tags final expire create idempotency
-- ARGV: 1 now ('' = server clock)  2 all or none (1|0)  3 number of jobs  4.. twenty values each: name of the
--   idempotency record ('' = none), fingerprint of the request, keep_ms, then the seventeen of lib/create.lua
-- Returns: one word per job: created | follows | exists | replayed | conflict | too_late | duplicate | replaced |
--   rejected | full | held_back; each as {word, created_at}, one for which there is another job as {word, created_at,
--   id, actor, queue, state or 'pruned'}
local now, all_or_none, n = clock(ARGV[1]), ARGV[2] == '1', tonumber(ARGV[3])
local IDEMPOTENCY_WIDTH, FIRST = 3, 4
local replies = {}

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

-- Whether as many jobs wait in a queue as its limit allows, counting those that are about to come.
local function is_full(queue, coming)
  local most = tonumber(redis.call('HGET', LIMITS, queue) or '')
  if not most then return false end
  local waiting = redis.call('ZCARD', ready_key(queue)) + redis.call('ZCARD', due_key(queue))
  return waiting + (coming or 0) >= tonumber(most)
end

-- The word with which create_job would refuse a job, and the other job; only looks.
local function entry_refused(i, coming)
  if redis.call('EXISTS', job_key(ARGV[i])) == 1 then return end
  local queue, digest, _, on_conflict = ARGV[i + 1], uniqueness(ARGV, i)
  local owner = digest and live_owner(digest, now)
  if owner then
    local word, other = settle_conflict(ARGV, i, owner, digest, on_conflict)
    if word == 'rejected' then return word, other end
    if word then return end
  end
  if is_full(queue, coming[queue]) then return 'full' end
  coming[queue] = (coming[queue] or 0) + 1
end

-- What would refuse a job, before anything is written.
-- coming: queue -> jobs that were looked at and may come.
local function refusal(i, coming)
  local name, fingerprint, job = ARGV[i], ARGV[i + 1], i + IDEMPOTENCY_WIDTH
  local word, about = remembered(name, fingerprint, ARGV[job])
  if word then return word == 'conflict' and {word, unpack(about)} end
  if is_too_late(job) then return {'too_late', 0} end
  local refused, other = entry_refused(job, coming)
  return refused and {refused, unpack(other and other_job(other) or {0})}
end

local function submit(i)
  local name, fingerprint, keep_ms = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  local job = i + IDEMPOTENCY_WIDTH
  local id = ARGV[job]
  local known, of_it = remembered(name, fingerprint, id)
  if known then return {known, unpack(of_it)} end
  if is_too_late(job) then return {'too_late', 0} end
  local word, other = create_job(ARGV, job, now, is_full)
  local about = other and other_job(other) or {now, id, ARGV[job + 2], ARGV[job + 1]}
  if word == 'full' then return {word, 0} end
  if word == 'exists' then about[1] = tonumber(redis.call('HGET', job_key(id), 'created_at')) end
  if word ~= 'exists' and word ~= 'rejected' then
    remember(name, fingerprint, keep_ms, about[2], about[3], about[4], about[1])
  end
  if other then return {word, unpack(about)} end
  return {word, about[1]}
end

local function place_of(k) return FIRST + (k - 1) * (IDEMPOTENCY_WIDTH + CREATE_WIDTH) end

-- Whether any job would be refused; the replies say which.
local function any_refused()
  local any, coming = false, {}
  for k = 1, n do
    local reply = refusal(place_of(k), coming) or {'held_back', 0}
    replies[k] = reply
    any = any or reply[1] ~= 'held_back'
  end
  return any
end

if all_or_none and any_refused() then return replies end
for k = 1, n do replies[k] = submit(place_of(k)) end
write_counts(now)
return replies
