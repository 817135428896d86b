-- replay: a person puts jobs back that were given up or cancelled, each with a new round of attempts.
-- Guarantee: only a job that is dead or cancelled moves; a call repeated with the same nonce (its reply was lost)
--   answers the same and moves nothing, even if a job has died again since. A damaged record does not hold the rest.
--   Whose work another job does meanwhile (locked) is left as it is.
-- Keys: counted job q wake arrivals total m final watch ev due unique changed deadlines group jobs msg queues tag tags deliveries hook
-- Uses: keys publish clock count deadline place unique tags final expire
-- ARGV: 1 now  2 nonce  3 until (UTC ms: leave alone what ended later, and what was run again with other
--   arguments; '' = none)  4.. ids
-- Returns: one word per job: replayed | active | finished | later | damaged | unknown | locked | replaced
local now, nonce, till = clock(ARGV[1]), ARGV[2], tonumber(ARGV[3]) or math.huge

local function read(id)
  local f = redis.call('HMGET', job_key(id), 'state', 'queue', 'actor', 'priority', 'replayed_by', 'finished_at',
    'unique', 'until', 'replayed_as')
  return {state = f[1], queue = f[2], actor = f[3], priority = tonumber(f[4]), replayed_by = f[5],
    finished_at = tonumber(f[6]), unique = f[7], term = f[8],
    replayed_as = f[9]}
end

-- Why a job is not to be put back, if so.
local function refusal(id, job)
  if not job.state then return 'unknown' end
  if job.replayed_by == nonce then return 'replayed' end
  if job.state == 'succeeded' or job.state == 'expired' then return 'finished' end
  if job.state ~= 'dead' and job.state ~= 'cancelled' then return 'active' end
  if not (job.queue and job.actor and job.priority and job.finished_at) then return 'damaged' end
  if job.finished_at > till then return 'later' end
  if job.replayed_as and till < math.huge then return 'replaced' end
  if job.unique and (live_owner(job.unique, now) or id) ~= id then return 'locked' end
end

-- Begins with a write that is refused when the server is out of memory: nothing has changed then. It waits from now on.
local function put_back_anew(id, job)
  redis.call('HSET', job_key(id), 'replayed_by', nonce, 'state', 'queued', 'due_at', now)
  redis.call('HDEL', job_key(id), 'reason', 'fingerprint', 'replayed_as', 'finished_at', 'expires_at', 'attempts', 'crashes',
    'snoozes', 'snoozed_ms', 'unknown_since', 'cancel_asked', 'began')
  redis.call('ZREM', final_key(job.state), id)
  push_ready(job.queue, id, new_place(job.priority))
  count(job.actor, 'replayed', 1)
  if job.unique and not lock_owner(job.unique, now) then take_lock(id, job.unique, job.term, now) end
  publish(id, 'queued')
end

local function replay(id)
  local readable, job = pcall(read, id)
  if not readable then return 'damaged' end
  local word = refusal(id, job)
  if word then return word end
  put_back_anew(id, job)
  return 'replayed'
end

local words = {}
for k = 4, #ARGV do words[k - 3] = replay(ARGV[k]) end
write_counts(now)
return words
