-- finish: record how deliveries ended, and all that follows from it.
-- Guarantee: only the holder of a job's token changes it; an outcome is written whole, with its follow-ups
--   and its group, or not at all ('broken': of a damaged record, say); repeated, it answers 'already'.
--   dead_letter is never broken by what belongs to the job.
-- Keys: counted sessions job msg out attempts running q due wake queues jobs arrivals total m final group watch ev log unique tag tags changed deliveries hook deadlines
-- Uses: keys publish clock count deadline place end unique tags final cancelled expire create join
-- ARGV: 1 now  2 number of outcomes
--   then per outcome eleven values: id, token, verb, delay_ms, charged (1|0), reason, error (JSON or ''),
--   result (JSON or ''), message ('' = as stored), fingerprint of what made it dead ('' = none), number of
--   follow-ups; then the follow-ups, seventeen values each (lib/create.lua)
--   verb: complete | retry | snooze | dead_letter | hand_back (with a reason if it had begun) | cancel
--   A job that was asked to stop completes or is cancelled (every other verb is a cancel), and has no
--   follow-ups, even if it completed.
-- Returns: one word per outcome: done | already | stale | broken
local now, n = clock(ARGV[1]), tonumber(ARGV[2])
local OUTCOME_WIDTH = 11
redis.call('ZREM', SESSIONS, '') -- frees, so that the rest passes when the server is out of memory

-- A token is '<session>:<number of the delivery>'.
local function session_of(token) return token:match('^(.*):') end

local function end_delivery(id, job, token, fields)
  redis.call('HSET', job_key(id), 'ended', token, unpack(fields))
  redis.call('HDEL', job_key(id), 'token', 'place')
  redis.call('HDEL', running_key(session_of(token)), id)
end

local verbs = {}

-- The path of nearly every job: its record keeps the token, which 'ended' makes void, for one write less.
function verbs.complete(id, job, token, o)
  redis.call('HSET', job_key(id), 'ended', token, 'state', 'succeeded', 'finished_at', now)
  redis.call('HDEL', running_key(session_of(token)), id)
  if o.result ~= '' then write_out(id, 'result', o.result) end
  if job.number ~= '1' then redis.call('HDEL', out_key(id), 'error') end -- of an earlier delivery
  count(job.actor, 'succeeded', 1)
  count_duration(job.actor, 'run', now - job.started_at)
  enter_final(id, 'succeeded', now)
end

local function wait_again(id, job, token, o, state)
  assert(job.queue, 'damaged record')
  local due = now + o.delay_ms
  end_delivery(id, job, token, {'state', state, 'due_at', due, 'wait_reason', o.reason})
  if o.message ~= '' then redis.call('SET', msg_key(id), o.message) end
  push_due(job.queue, id, due)
  publish(id, state)
end

function verbs.retry(id, job, token, o)
  local attempts = job.attempts + 1
  wait_again(id, job, token, o, 'retrying')
  redis.call('HSET', job_key(id), 'attempts', attempts)
  count(job.actor, 'retried', 1)
end

function verbs.snooze(id, job, token, o)
  local snoozes, snoozed_ms = job.snoozes + 1, job.snoozed_ms + o.delay_ms
  wait_again(id, job, token, o, 'scheduled')
  if o.reason == 'unknown_actor' then
    redis.call('HSETNX', job_key(id), 'unknown_since', now)
    watch_deadline(id)
  else
    redis.call('HSET', job_key(id), 'snoozes', snoozes, 'snoozed_ms', snoozed_ms)
  end
  count(job.actor, 'snoozed', 1)
end

function verbs.dead_letter(id, job, token, o)
  end_delivery(id, job, token, {'state', 'dead', 'finished_at', now, 'reason', o.reason,
    'attempts', job.attempts + o.charged})
  if o.fingerprint ~= '' then redis.call('HSET', job_key(id), 'fingerprint', o.fingerprint) end
  count(job.actor, 'dead', 1)
  enter_final(id, 'dead', now)
end

function verbs.hand_back(id, job, token, o)
  put_back(session_of(token), id, job.queue, job.place, o.reason ~= '')
  redis.call('HSET', job_key(id), 'ended', token)
  count(job.actor, 'handed_back', 1)
end

function verbs.cancel(id, job, token)
  redis.call('HSET', job_key(id), 'ended', token)
  redis.call('HDEL', running_key(session_of(token)), id)
  enter_cancelled(id, job.actor, now)
end

local NOT_AFTER_CANCEL = {retry = true, snooze = true, hand_back = true, dead_letter = true}

local function create_all(from, many, parent)
  for k = 0, many - 1 do create_follow_up(ARGV, from + k * CREATE_WIDTH, parent, now) end
end

local function apply(i)
  local id, token, verb = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  local f = redis.call('HMGET', job_key(id), 'token', 'ended', 'queue', 'actor', 'attempts', 'snoozes',
    'snoozed_ms', 'deliveries', 'started_at', 'place', 'cancel_asked',
    'group', 'member')
  if f[2] == token then return 'already' end
  if f[1] ~= token then return 'stale' end
  if f[11] and NOT_AFTER_CANCEL[verb] then verb = 'cancel' end
  local job = {queue = f[3], actor = f[4], attempts = tonumber(f[5] or 0), snoozes = tonumber(f[6] or 0),
    snoozed_ms = tonumber(f[7] or 0), number = f[8], started_at = tonumber(f[9]) or now, place = f[10]}
  local o = {delay_ms = tonumber(ARGV[i + 3]), charged = tonumber(ARGV[i + 4]), reason = ARGV[i + 5],
    error = ARGV[i + 6], result = ARGV[i + 7], message = ARGV[i + 8],
    fingerprint = ARGV[i + 9]}
  local followups = tonumber(ARGV[i + 10])
  verbs[verb](id, job, token, o)
  if o.error ~= '' then write_out(id, 'error', o.error) end
  -- Looking for an actor would soon push every real attempt out: the record says since when.
  if verb ~= 'complete' and not (verb == 'snooze' and o.reason == 'unknown_actor') then
    local charged = verb == 'retry' and 1 or verb == 'dead_letter' and o.charged or 0
    log_delivery(id, job.number, job.started_at, now, session_of(token), verb, charged, o.error)
  end
  if not f[11] then create_all(i + OUTCOME_WIDTH, followups, id) end
  if verb == 'complete' and f[11] and f[12] and not f[13] then pcall(fail_group, id, now) end -- its member never comes
  if verb == 'complete' and f[12] and f[13] then pcall(join_group, f[12], id, now) end -- as in enter_final
  return 'done'
end

local words, i = {}, 3
for k = 1, n do
  local ok, word = pcall(apply, i)
  words[k] = ok and word or 'broken'
  i = i + OUTCOME_WIDTH + tonumber(ARGV[i + 10]) * CREATE_WIDTH
end
write_counts(now)
return words
