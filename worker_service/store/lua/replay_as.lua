-- replay_as: a person runs a job that was given up or cancelled again as a new one, with other arguments.
-- Guarantee: the new job is created and each of the two names the other, or nothing changes; repeated with the same
--   new id (its reply was lost), it answers the same and changes nothing. A lock that the old one still holds goes to
--   the new one, with the job that follows, or is released; when another job does the work of the new one, or would
--   follow its window, which passes nothing on (locked), nothing changes, but that overdue ones expire. What the old
--   one has begun to do once (has_steps) the new one would do again: it is not created.
-- Keys: counted job msg jobs queues q due wake arrivals total m final watch ev group unique step tag tags changed deliveries hook deadlines
-- Uses: keys publish clock count deadline place unique tags final expire create
-- ARGV: 1 now ('' = server clock)  2 id  3.. seventeen values of the new job, see lib/create.lua
-- Returns: {replayed | active | finished | unknown | has_steps | locked, id of the other job when locked}
local now, id, first = clock(ARGV[1]), ARGV[2], 3
local new_id = ARGV[first]
local digest, term = ARGV[first + 13]:match('^(%S+) (%S+)')
local job = redis.call('HMGET', job_key(id), 'state', 'holds')
local state, holds = job[1], job[2]
if not state then return {'unknown'} end
if redis.call('EXISTS', job_key(new_id)) == 1 then return {'replayed'} end
if state == 'succeeded' or state == 'expired' then return {'finished'} end
if state ~= 'dead' and state ~= 'cancelled' then return {'active'} end
if redis.call('EXISTS', step_key(id)) == 1 then return {'has_steps'} end
local owner = digest and live_owner(digest, now)
local function locked(other) -- overdue jobs may have expired: they are counted
  write_counts(now)
  return {'locked', other}
end
if owner and owner ~= id then return locked(owner) end
local follower = holds and holds == digest and redis.call('HGET', unique_key(digest), 'next')
if follower and tonumber(term) then return locked(follower) end
redis.call('HSET', job_key(id), 'replayed_as', new_id)
if follower then redis.call('HDEL', unique_key(digest), 'next') end
if holds then release_lock(id, holds, now) end
if owner and holds ~= digest then redis.call('DEL', unique_key(digest)) end -- its window, which the new one begins anew
create_job(ARGV, first, now)
if follower then redis.call('HSET', unique_key(digest), 'next', follower) end
redis.call('HSET', job_key(new_id), 'replayed_from', id)
write_counts(now)
return {'replayed'}
