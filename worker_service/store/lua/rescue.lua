-- rescue: take back the jobs of worker processes that are gone.
-- Guarantee: only a session whose lease ran out, or the one named by its own keeper, loses its jobs; after
--   an outage of the server or of all rescuers nobody does before one whole lease has passed. A crash is
--   charged to jobs that had started: to those with an earlier crash if there are any, else to each once. Its error
--   says which process died and how.
--   A damaged record is buried and does not hold the rest.
-- Keys: counted meta sessions session running claim bell job q due wake queues attempts total m final watch ev jobs msg group out unique tag tags changed arrivals deliveries hook deadlines
-- Uses: keys publish clock count session deadline place end unique tags final cancelled bury
-- ARGV: 1 now  2 lease_ms  3 run_id of the server  4 limit (jobs in one call)
--   5 wait after the first crash in ms  6 wait after later ones  7 session ('' = all whose lease ran out)
--   8 id of a job killed for its time limit ('' = none)  9 known (1: the rest of ARGV names what had started)
--   10 how the named one ended, as words behind 'its worker process (host, pid)'  11.. ids of the jobs that had
--   started, when known
-- Returns: {rescued | holding, number of jobs, number of them dead, 1 when more remain}
local now, lease_ms, run_id, limit = clock(ARGV[1]), tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4])
local first_wait, later_wait, named, overdue = tonumber(ARGV[5]), tonumber(ARGV[6]), ARGV[7], ARGV[8]
local how_it_ended = named ~= '' and ARGV[10] or 'fell silent'
local started = nil
if ARGV[9] == '1' then
  started = {}
  for i = 11, #ARGV do started[ARGV[i]] = true end
end
redis.call('ZREM', SESSIONS, '') -- frees, so that the rest passes when the server is out of memory

local lost
if named ~= '' then
  lost = redis.call('ZSCORE', SESSIONS, named) and {named} or {}
else
  local last = redis.call('HMGET', META, 'rescue_at', 'rescue_run', 'rescue_hold')
  redis.call('HSET', META, 'rescue_at', now, 'rescue_run', run_id)
  local hold = tonumber(last[3] or 0)
  if not last[1] or now - tonumber(last[1]) > lease_ms * 2 / 3 or last[2] ~= run_id then
    hold = now + lease_ms
    redis.call('HSET', META, 'rescue_hold', hold)
  end
  if now < hold then return {'holding', 0, 0, 0} end
  lost = redis.call('ZRANGEBYSCORE', SESSIONS, '-inf', now, 'LIMIT', 0, 10)
end

local rescued, dead = 0, 0

-- 'its worker process (web-1, pid 4711)', from what it said of itself when it opened its session.
local function process_of(session)
  local about = redis.call('HMGET', session_key(session), 'host', 'pid')
  if not (about[1] and about[2]) then return 'its worker process' end
  return 'its worker process (' .. about[1] .. ', pid ' .. about[2] .. ')'
end

local function error_json(kind, message)
  local text = message:gsub('[^%w ,.:;()_+-]', '?') -- so that nothing has to be escaped
  return '{"type":"' .. kind .. '","message":"' .. text .. '","traceback":""}'
end

local function evidence(session, overran)
  if overran then
    return error_json('TimeLimitExceeded', 'no interrupt reached it, so ' .. process_of(session) .. ' was killed')
  end
  return error_json('WorkerLost', process_of(session) .. ' ' .. how_it_ended)
end

-- A job that may crash no process (max_crashes 0) runs at most once: it is given up whoever is to blame.
local function crash(session, id, job, charged)
  local crashes, most = tonumber(job.crashes or 0) + charged, tonumber(job.max_crashes)
  local overran = id == overdue
  assert(job.queue and most, 'damaged record')
  local err = evidence(session, overran)
  log_delivery(id, job.deliveries, job.started_at, now, session, overran and 'time_limit_hard' or 'crash', charged, err)
  redis.call('HDEL', job_key(id), 'token', 'place')
  redis.call('HDEL', running_key(session), id)
  redis.call('HSET', job_key(id), 'crashes', crashes)
  count(job.actor, 'crashed', 1)
  if job.cancel_asked then
    enter_cancelled(id, job.actor, now)
  elseif most == 0 or (charged == 1 and crashes >= most) then
    redis.call('HSET', job_key(id), 'state', 'dead', 'finished_at', now,
      'reason', overran and 'time_limit_hard' or 'worker_lost')
    write_out(id, 'error', err)
    count(job.actor, 'dead', 1)
    enter_final(id, 'dead', now)
    dead = dead + 1
  else
    local due = now + (crashes > 1 and later_wait or first_wait)
    redis.call('HSET', job_key(id), 'state', 'retrying', 'wait_reason', 'crash', 'due_at', due)
    push_due(job.queue, id, due)
    publish(id, 'retrying')
  end
end

local function read_job(id)
  local f = redis.call('HMGET', job_key(id),
    'token', 'queue', 'actor', 'place', 'crashes', 'max_crashes', 'deliveries', 'started_at',
    'cancel_asked')
  return {token = f[1], queue = f[2], actor = f[3], place = f[4], crashes = f[5], max_crashes = f[6],
    deliveries = f[7], started_at = f[8], cancel_asked = f[9]}
end

local function is_suspect(id)
  return (not started or started[id]) and tonumber(redis.call('HGET', job_key(id), 'crashes') or 0) > 0
end

-- Whether a job with an earlier crash was running; kept with the session, because a rescue may take
-- several calls and the first ones remove the evidence.
local function had_suspect(session, running)
  local known = redis.call('HGET', session_key(session), 'suspect')
  if known then return known == '1' end
  local found = false
  for i = 1, #running, 2 do
    local readable, suspect = pcall(is_suspect, running[i])
    if readable and suspect then found = true end
  end
  redis.call('HSET', session_key(session), 'suspect', found and '1' or '0')
  return found
end

local function give_back(session, id, job)
  local began = not started or started[id]
  if not job.cancel_asked then return put_back(session, id, job.queue, job.place, began) end
  redis.call('HDEL', running_key(session), id)
  enter_cancelled(id, job.actor, now)
end

local function take_back(session, id, token, suspect)
  local job = read_job(id)
  if job.token ~= token then
    redis.call('HDEL', running_key(session), id)
  elseif (started and not started[id]) or (overdue ~= '' and id ~= overdue) then
    give_back(session, id, job)
  elseif overdue == '' and suspect and tonumber(job.crashes or 0) == 0 then
    crash(session, id, job, 0)
  else
    crash(session, id, job, 1)
  end
end

local function rescue_session(session)
  local running = redis.call('HGETALL', running_key(session))
  local suspect = had_suspect(session, running)
  for i = 1, #running, 2 do
    if rescued >= limit then
      end_lease(session)
      return false
    end
    if not pcall(take_back, session, running[i], running[i + 1], suspect) then
      bury(session, running[i], now)
      dead = dead + 1
    end
    rescued = rescued + 1
  end
  remove_session(session)
  return true
end

local more = 0
for _, session in ipairs(lost) do
  if not rescue_session(session) then more = 1 break end
end
wake_all() -- also when nobody was lost: a mark lost with a connection is missing for one round at most
write_counts(now)
return {'rescued', rescued, dead, more}
