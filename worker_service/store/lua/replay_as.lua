-- replay_as: a person runs a job that was given up or cancelled again as a new one, with other arguments.
-- Guarantee: the new job is created and each of the two names the other, or nothing changes; repeated with the same
--   new id (its reply was lost), it answers the same and changes nothing. A lock that the old one still holds, the new
--   one takes over; when another job does the work of the new one (locked), it is not created.
-- Keys: job msg jobs queues q due wake arrivals total m final watch ev group unique
-- Uses: keys clock count place end unique final create
-- ARGV: 1 now ('' = server clock)  2 id  3.. fifteen values of the new job, see lib/create.lua
-- Returns: replayed | active | finished | unknown | locked
local now, id, new_id = clock(ARGV[1]), ARGV[2], ARGV[3]
local job = redis.call('HMGET', job_key(id), 'state', 'replayed_as', 'holds')
local state = job[1]
if not state then return 'unknown' end
if job[2] == new_id then return 'replayed' end
if state == 'succeeded' or state == 'expired' then return 'finished' end
if state ~= 'dead' and state ~= 'cancelled' then return 'active' end
local first = 3
local digest = ARGV[first + 13]:match('^%S+')
if digest and digest == job[3] and redis.call('HEXISTS', unique_key(digest), 'next') == 0 then
  release_lock(id, digest, now)
end
local _, other = create_job(ARGV, first, now)
if other then return 'locked' end
redis.call('HSET', job_key(new_id), 'replayed_from', id)
redis.call('HSET', job_key(id), 'replayed_as', new_id)
write_counts(now)
return 'replayed'
