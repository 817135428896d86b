-- replay: a person puts a job back that was given up or cancelled, with a new round of attempts.
-- Guarantee: only a job that is dead or cancelled moves; a call repeated with the same nonce (its reply was lost)
--   answers the same and moves nothing. Whose work another job does meanwhile is left as it is.
-- Keys: job q wake arrivals total m final watch ev due unique
-- Uses: keys clock count place end unique
-- ARGV: 1 now  2 id  3 nonce
-- Returns: {replayed | active | finished | damaged | unknown | locked, id of the other job when locked}
local now, id, nonce = clock(ARGV[1]), ARGV[2], ARGV[3]
local job = redis.call('HMGET', job_key(id), 'state', 'queue', 'actor', 'priority', 'replayed_by', 'unique',
  'until')
local state, queue, actor, priority, digest = job[1], job[2], job[3], tonumber(job[4]), job[6]
if not state then return {'unknown'} end
if job[5] == nonce then return {'replayed'} end
if state ~= 'dead' and state ~= 'cancelled' then
  if state == 'succeeded' or state == 'expired' then return {'finished'} end
  return {'active'}
end
if not (queue and actor and priority) then return {'damaged'} end
local owner = digest and lock_owner(digest, now)
if owner and owner ~= id then return {'locked', owner} end
if digest and not owner then take_lock(id, digest, job[7], now) end
redis.call('HSET', job_key(id), 'replayed_by', nonce, 'state', 'queued')
redis.call('HDEL', job_key(id), 'reason', 'finished_at', 'due_at', 'expires_at', 'attempts', 'crashes', 'snoozes',
  'snoozed_ms', 'unknown_since', 'cancel_asked')
redis.call('ZREM', final_key(state), id)
push_ready(queue, id, new_place(priority))
count(actor, 'replayed', 1)
write_counts(now)
publish(id, 'queued')
return {'replayed'}
