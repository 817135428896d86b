-- examine_jobs: judge the records of jobs, each with its message, the place of its state and the list of all jobs.
-- Guarantee: each is judged and mended in one step, so one that moves is not taken for a damaged one. No job is lost:
--   it is put where it belongs; one that cannot run is buried. A running one that nobody would ever rescue gets its
--   session back with a lease that has ended, and the next rescue takes it.
-- Keys: counted job msg jobs queues q due wake arrivals sessions session running total m final group watch ev unique tag tags changed deliveries hook deadlines
-- Uses: keys publish clock count deadline place unique tags final bury examine
-- ARGV: 1 now  2 repair (1|0)  3.. ids
-- Returns: {findings}, each {id, word, 1 when mended, detail}
local now = clock(ARGV[1])
local TEXTS = {'queue', 'actor'}
local NUMBERS = {'priority', 'created_at', 'max_crashes'}
local INSTANTS = {'started_at', 'due_at', 'expires_at', 'finished_at'}
local COUNTERS = {'max_attempts', 'attempts', 'crashes', 'snoozes', 'snoozed_ms', 'unknown_since', 'deliveries'}
local FIELDS = {'state', 'token', 'reason'}
for _, names in ipairs({TEXTS, NUMBERS, INSTANTS, COUNTERS}) do
  for _, name in ipairs(names) do FIELDS[#FIELDS + 1] = name end
end

local function read_record(id)
  local values, job = redis.call('HMGET', job_key(id), unpack(FIELDS)), {}
  for i, name in ipairs(FIELDS) do job[name] = values[i] or nil end
  return (job.state or redis.call('EXISTS', job_key(id)) == 1) and job
end

-- The first name whose value, or a value that is not there, is not as it should be.
local function first_wrong(job, names, is_right)
  for _, name in ipairs(names) do
    if not is_right(job[name]) then return name end
  end
end

local function is_text(value) return value and value ~= '' end
local function is_number(value) return value and value:match('^-?%d+%.?%d*$') end
local function is_instant(value) return not value or is_number(value) end
local function is_count(value) return not value or value:match('^%d+$') end

local function damaged_field(job)
  return first_wrong(job, TEXTS, is_text) or first_wrong(job, NUMBERS, is_number)
    or first_wrong(job, INSTANTS, is_instant) or first_wrong(job, {'max_attempts'}, is_text)
    or first_wrong(job, COUNTERS, is_count)
end

local function session_of(job)
  return job.token and job.token:match('^(.+):%d+$')
end

local function list(id, job)
  redis.call('ZADD', JOBS, 'NX', tonumber(job.created_at or now) or now, id)
end

local function bury_job(id, job)
  if job.queue then
    redis.call('ZREM', ready_key(job.queue), id)
    redis.call('ZREM', due_key(job.queue), id)
  end
  bury(session_of(job) or '', id, now)
  list(id, job)
end

-- Its end is certain, the rest of its record is not.
local function mark_damaged(id, state)
  redis.call('HSET', job_key(id), 'state', state, 'reason', 'damaged_record')
end

local function readmit(id, job, session)
  redis.call('HSET', running_key(session), id, job.token)
  redis.call('HSETNX', session_key(session), 'opened_at', now)
  redis.call('ZADD', SESSIONS, 'NX', 0, session)
end

-- Per kind of place: judges whether the job stands in it.
local judge_place = {}

function judge_place.ready(id, job)
  if redis.call('ZSCORE', ready_key(job.queue), id) then return end
  finding(id, 'misplaced', function()
    redis.call('HSETNX', QUEUES, job.queue, now)
    push_ready(job.queue, id, new_place(job.priority))
  end, job.state)
end

function judge_place.due(id, job)
  if redis.call('ZSCORE', due_key(job.queue), id) then return end
  finding(id, 'misplaced', function()
    redis.call('HSETNX', QUEUES, job.queue, now)
    push_due(job.queue, id, job.due_at or now)
  end, job.state)
end

function judge_place.held(id, job)
  local session = session_of(job)
  if not session then
    finding(id, 'unreadable', function() bury_job(id, job) end, 'token')
  elseif not redis.call('ZSCORE', SESSIONS, session) then
    finding(id, 'abandoned', function() readmit(id, job, session) end, session)
  elseif redis.call('HGET', running_key(session), id) ~= job.token then
    finding(id, 'misplaced', function() redis.call('HSET', running_key(session), id, job.token) end, job.state)
  end
  if redis.call('HEXISTS', QUEUES, job.queue) == 0 then -- where it may have to wait again
    finding(job.queue, 'unregistered', function() redis.call('HSET', QUEUES, job.queue, now) end)
  end
end

function judge_place.ended(id, job)
  if redis.call('ZSCORE', final_key(job.state), id) then return end
  finding(id, 'misplaced', function() redis.call('ZADD', final_key(job.state), tonumber(job.finished_at) or now, id) end,
    job.state)
end

local function judge_deadline(id, job)
  local at = tonumber(job.expires_at)
  if not at or tonumber(redis.call('ZSCORE', DEADLINES, id) or nil) == at or has_begun(id) then return end
  finding(id, 'unwatched', function() redis.call('ZADD', DEADLINES, at, id) end)
end

local function judge_unreadable_state(id, job)
  local stands = ended_as(id)
  finding(id, 'unreadable', function()
    if stands then mark_damaged(id, stands) else bury_job(id, job) end
    list(id, job)
  end, 'state')
end

-- Whether the job can be used as it is; one that cannot is buried, and where it stood does not matter any more.
local function judge_use(id, job, kind, damaged)
  if kind == 'ended' then
    if damaged and job.reason ~= 'damaged_record' then
      finding(id, 'unreadable', function() mark_damaged(id, job.state) end, damaged)
    end
    return true
  elseif damaged then
    finding(id, 'unreadable', function() bury_job(id, job) end, damaged)
    return false
  elseif kind ~= 'held' and redis.call('TYPE', msg_key(id)).ok ~= 'string' then
    finding(id, 'no_message', function() bury_job(id, job) end)
    return false
  end
  return true
end

examine_each(3, 1, function(id)
  local job = read_record(id)
  if not job then return end
  local kind = KIND[job.state]
  if not kind then return judge_unreadable_state(id, job) end
  if not judge_use(id, job, kind, damaged_field(job)) then return end
  judge_place[kind](id, job)
  if kind == 'ready' or kind == 'due' then judge_deadline(id, job) end
  if not redis.call('ZSCORE', JOBS, id) then finding(id, 'unlisted', function() list(id, job) end) end
end)
write_counts(now)
return {rows}
