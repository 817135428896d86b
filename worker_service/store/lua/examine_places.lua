-- examine_places: judge members of a place by whether the record of each says that it stands there.
-- Guarantee: a member is judged and removed in one step; where its job belongs is the business of examine_jobs.
-- Keys: job msg jobs q due running final sessions deadlines
-- Uses: keys deadline examine
-- ARGV: 1 now (of no use here)  2 repair (1|0)  3 kind (listed|deadline|ready|due|held|ended)  4 name of the queue, the session
--   or the state  5.. ids
-- Returns: {findings}, each {id, word, 1 when mended, the place}
local kind, name = ARGV[3], ARGV[4]
local KEY = {ready = ready_key, due = due_key, held = running_key, ended = final_key}
local key = kind == 'listed' and JOBS or kind == 'deadline' and DEADLINES or KEY[kind](name)
local read, remove = 'ZSCORE', 'ZREM'
if kind == 'held' then read, remove = 'HGET', 'HDEL' end

local function belongs(id, state, queue, token)
  if kind == 'listed' then return true end
  if kind == 'deadline' then
    local waits = KIND[state] == 'ready' or KIND[state] == 'due'
    return waits and redis.call('HEXISTS', job_key(id), 'expires_at') == 1 and not has_begun(id)
  end
  if KIND[state] ~= kind then return false end
  if kind == 'ended' then return state == name end
  if kind == 'held' then return token == redis.call('HGET', key, id) end
  return queue == name
end

examine_each(5, 1, function(id)
  local job = redis.call('HMGET', job_key(id), 'state', 'queue', 'token')
  local exists = job[1] or redis.call('EXISTS', job_key(id)) == 1
  if not exists and redis.call('EXISTS', msg_key(id)) == 1 then return end -- told by examine_messages
  if exists and (not KIND[job[1]] or belongs(id, job[1], job[2], job[3])) then return end
  if not redis.call(read, key, id) then return end -- it has gone since it was listed
  finding(id, exists and 'astray' or 'no_job', function() redis.call(remove, key, id) end, key:sub(#P + 1))
end)
return {rows}
