-- examine_messages: judge messages by whether their job has a record.
-- Guarantee: a job whose record is lost is buried with what its message tells, for a person to see and put back;
--   one that had ended is removed with all that belongs to it.
-- Keys: counted job msg out attempts log step jobs q due total m final group watch ev queues sessions unique wake tag tags changed arrivals deliveries hook deadlines
-- Uses: keys publish clock count place unique tags final examine
-- ARGV: 1 now  2 repair (1|0)  3.. three values per message: id of its job, queue and actor as the message says
--   ('' when it cannot be read)
-- Returns: {findings}, each {id, word, 1 when mended, detail}
local now = clock(ARGV[1])

local function remove(id, state)
  redis.call('DEL', msg_key(id), out_key(id), attempts_key(id), log_key(id), step_key(id))
  redis.call('ZREM', final_key(state), id)
  redis.call('ZREM', JOBS, id)
end

-- With the defaults of attempts and crashes: what was asked for is lost.
local function bury_lost(id, queue, actor, stands)
  local created_at = redis.call('ZSCORE', JOBS, id) or now
  redis.call('HSET', job_key(id), 'v', 1, 'state', 'dead', 'reason', 'damaged_record', 'queue', queue, 'actor', actor,
    'priority', 0, 'created_at', created_at, 'finished_at', now, 'max_attempts', 10, 'max_crashes', 3)
  redis.call('ZADD', JOBS, created_at, id)
  redis.call('ZREM', ready_key(queue), id)
  redis.call('ZREM', due_key(queue), id)
  if actor ~= '' and not stands then count(actor, 'dead', 1) end
  enter_final(id, 'dead', now)
end

examine_each(3, 3, function(id, i)
  if redis.call('EXISTS', job_key(id)) == 1 or redis.call('EXISTS', msg_key(id)) == 0 then return end
  local stands = ended_as(id)
  if stands and stands ~= 'dead' then
    finding(id, 'remains', function() remove(id, stands) end, stands)
  else
    finding(id, 'lost_record', function() bury_lost(id, ARGV[i + 1], ARGV[i + 2], stands) end)
  end
end)
write_counts(now)
return {rows}
