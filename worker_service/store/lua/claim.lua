-- claim: take up to n queued jobs for a session, due ones promoted first.
-- Guarantee: none of a paused queue; a job goes to one session at a time, under a token of its own; a call repeated with the same
--   nonce (its reply was lost) returns the same jobs, and one under a lower number none. One damaged job is buried and does not stop the rest. A job that
--   the next crash would end comes alone: met behind others, it ends the claim, and the next one begins with it.
-- Keys: counted sessions running claim bell job msg q due wake arrivals total m final watch ev jobs queues group paused unique tag tags changed deliveries hook deadlines
-- Uses: keys publish clock count session deadline place unique tags final expire bury
-- ARGV: 1 now  2 session  3 nonce  4 n  5 suspects (how many jobs with an earlier crash may be among them)
--       6 ring (1: ring the session's bell when fewer than n were found)  7.. queues, in order of preference
-- Returns: {session_lost} | {claimed, ms until the next due job or -1, 1 when jobs may remain,
--   then per job: id, token, queue, attempts, crashes, max_attempts, message, ms that workers have not known its actor
--   or '', snoozes, snoozed_ms, 1 when it has to run alone}
local now, session, nonce = clock(ARGV[1]), ARGV[2], ARGV[3]
local n, suspects, ring = tonumber(ARGV[4]), tonumber(ARGV[5]), ARGV[6]
local SUSPECT_WAIT_MS, MOST_DROPPED = 250, 50
local reply = {'claimed', -1, 0}

if not has_lease(session) then return {'session_lost'} end

local function hand_out(...)
  for _, value in ipairs({...}) do reply[#reply + 1] = value end
end

-- Counters that the process would stumble over are found here, where one damaged job is buried.
local function whole(...)
  for _, value in ipairs({...}) do assert(tostring(value):match('^%d+$'), 'damaged record') end
end

-- A difference of one clock: the caller's may show another hour.
local function waited(since) return since and math.max(0, now - tonumber(since)) or '' end

-- Its last chance: whatever runs beside it would be taken for what it does.
local function runs_alone(crashes, max_crashes)
  return crashes > 0 and crashes >= (tonumber(max_crashes) or 1) - 1
end

local function hand_out_again(id)
  local job = redis.call('HMGET', job_key(id), 'token', 'queue', 'attempts', 'crashes', 'max_attempts',
    'unknown_since', 'snoozes', 'snoozed_ms', 'max_crashes')
  if job[1] and redis.call('HGET', running_key(session), id) == job[1] then
    local message = redis.call('GET', msg_key(id))
    assert(job[2] and message, 'damaged record')
    whole(job[3] or 0, job[4] or 0, job[5] or '', job[6] or 0, job[7] or 0, job[8] or 0)
    hand_out(id, job[1], job[2], job[3] or 0, job[4] or 0, job[5], message, waited(job[6]), job[7] or 0, job[8] or 0,
      runs_alone(tonumber(job[4] or 0), job[9]) and 1 or 0)
  end
end

local last = redis.call('HMGET', claim_key(session), 'nonce', 'ids')
if last[1] == nonce then
  for id in last[2]:gmatch('%S+') do
    if not pcall(hand_out_again, id) then bury(session, id, now) end
  end
  write_counts(now)
  reply[3] = 1 -- not looked: the next claim will
  return reply
end
-- An order that waited on a connection that was given up: nobody hears the answer.
if tonumber(last[1]) and tonumber(nonce) and tonumber(nonce) < tonumber(last[1]) then return reply end
redis.call('HSET', claim_key(session), 'nonce', nonce, 'ids', '') -- refused when the server is out of memory

local taken, dropped, budget = {}, 0, 2 * n + 16
local postponed = {}
local closed = false -- whether a job that has to run alone was met

local function promote_one(queue, id)
  local job = redis.call('HMGET', job_key(id), 'state', 'priority')
  if job[1] == 'scheduled' or job[1] == 'retrying' then
    redis.call('ZADD', ready_key(queue), new_place(job[2]), id)
    redis.call('HSET', job_key(id), 'state', 'queued')
    redis.call('HDEL', job_key(id), 'wait_reason')
    publish(id, 'queued')
  end
end

-- The first one that is not ready yet, as {id, instant}, of queues that were looked at; good until a job was met, whose
-- end may let others wait or run.
local first_due, met = {}, false

local function look_for_due(queue)
  first_due[queue] = redis.call('ZRANGE', due_key(queue), 0, 0, 'WITHSCORES')
end

local function promote(queue)
  look_for_due(queue)
  local at = first_due[queue][2]
  if budget <= 0 or not at or tonumber(at) > now then return end
  local ids = redis.call('ZRANGEBYSCORE', due_key(queue), '-inf', now, 'LIMIT', 0, budget)
  budget, met = budget - #ids, true
  for _, id in ipairs(ids) do
    redis.call('ZREM', due_key(queue), id)
    if not pcall(promote_one, queue, id) then bury(session, id, now) end
  end
end

-- Later, to any process that may run it then: leaving it at the head would wake the same one again at once.
local function postpone(queue, id)
  redis.call('HSET', job_key(id), 'state', 'retrying', 'wait_reason', 'crash')
  redis.call('ZADD', due_key(queue), now + SUSPECT_WAIT_MS, id)
  postponed[queue] = true
  publish(id, 'retrying')
end

-- For the next claim.
local function leave(queue, id, place)
  redis.call('ZADD', ready_key(queue), place, id)
end

-- Returns true when the job was taken.
local function take(queue, id, place)
  local job = redis.call('HMGET', job_key(id),
    'state', 'actor', 'deliveries', 'attempts', 'crashes', 'max_attempts', 'expires_at', 'due_at', 'created_at',
    'unknown_since', 'snoozes', 'snoozed_ms', 'until', 'holds', 'max_crashes')
  if job[1] ~= 'queued' then return end
  if job[7] and expire_if_overdue(id, now) then return end
  local message = redis.call('GET', msg_key(id))
  assert(message and job[2] and job[9], 'damaged record')
  whole(job[4] or 0, job[5] or 0, job[6] or '', job[10] or 0, job[11] or 0, job[12] or 0)
  local crashes = tonumber(job[5] or 0)
  local alone = runs_alone(crashes, job[15])
  if crashes > 0 then
    if suspects <= 0 then return postpone(queue, id) end
    closed = alone
    if alone and #taken > 0 then return leave(queue, id, place) end
    suspects = suspects - 1
  end
  local number = tonumber(job[3] or 0) + 1
  local token = session .. ':' .. number
  redis.call('HSET', job_key(id), 'state', 'running', 'token', token, 'deliveries', number,
    'started_at', now, 'place', place)
  redis.call('HSET', running_key(session), id, token)
  if job[7] then redis.call('ZREM', DEADLINES, id) end
  if job[13] == 'start' and job[14] then release_lock(id, job[14], now) end
  count(job[2], 'started', 1)
  publish(id, 'running')
  count_duration(job[2], 'wait', now - math.max(tonumber(job[8] or 0), tonumber(job[9])))
  taken[#taken + 1] = id
  hand_out(id, token, queue, job[4] or 0, crashes, job[6], message, waited(job[10]), job[11] or 0, job[12] or 0,
    alone and 1 or 0)
  return true
end

-- When paused queues go on by themselves, in ms from now; infinite for those that somebody has to resume.
local paused = {}
for i, words in ipairs(redis.call('HMGET', PAUSED, unpack(ARGV, 7))) do
  if words then
    local till = tonumber(words:match('^(%d*) '))
    if not till or till > now then paused[ARGV[6 + i]] = till and till - now or math.huge end
  end
end

local function serve(queue)
  promote(queue)
  while not closed and #taken < n and dropped < MOST_DROPPED do
    local popped = redis.call('ZPOPMIN', ready_key(queue), math.min(n - #taken, 100))
    if #popped == 0 then break end
    met = true
    for k = 1, #popped, 2 do
      local readable, took = pcall(closed and leave or take, queue, popped[k], popped[k + 1])
      if not readable then bury(session, popped[k], now) end
      if not (readable and took) then dropped = dropped + 1 end
    end
  end
end

for i = 7, #ARGV do
  if not closed and not paused[ARGV[i]] then serve(ARGV[i]) end
end

-- A claim that got all it asked for, or all it may have, did not see the rest, and will not be there when the next job is due.
-- A job that was put off may be started at once by another process: one of those learns the instant.
local full = closed or #taken >= n or dropped >= MOST_DROPPED or budget <= 0
local function announce(ms)
  if ms < math.huge and (reply[2] < 0 or ms < reply[2]) then reply[2] = ms end
end

local function look_ahead(queue)
  local waiting = (full or dropped > 0) and redis.call('ZCARD', ready_key(queue)) or 0
  if met or not first_due[queue] then look_for_due(queue) end
  local due = first_due[queue]
  if waiting > 0 or (full and due[2]) or postponed[queue] then
    wake(queue)
  else
    redis.call('ZREM', wake_key(queue), 'w')
  end
  if waiting > 0 then reply[3] = 1 end
  if due[2] then announce(math.max(0, tonumber(due[2]) - now)) end
end

for i = 7, #ARGV do
  if paused[ARGV[i]] then
    redis.call('ZREM', wake_key(ARGV[i]), 'w')
    announce(paused[ARGV[i]])
  else
    look_ahead(ARGV[i])
  end
end
redis.call('HSET', claim_key(session), 'ids', table.concat(taken, ' '))
if ring == '1' and not full then redis.call('ZADD', bell_key(session), 0, 'ring') end
write_counts(now)
return reply
