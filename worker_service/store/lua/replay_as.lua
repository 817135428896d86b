-- replay_as: a person runs a job that was given up or cancelled again as a new one, with other arguments.
-- Guarantee: the new job is created and each of the two names the other, or nothing changes; repeated with the same
--   new id (its reply was lost), it answers the same and changes nothing. A lock that the old one still holds, the new
--   one takes over; when another job does the work of the new one (locked), it is not created.
-- Keys: job msg jobs queues q due wake arrivals total m final watch ev group unique
-- Uses: keys clock count place end unique final create
-- ARGV: 1 now ('' = server clock)  2 id  3.. fifteen values of the new job, see lib/create.lua
-- Returns: replayed | active | finished | unknown | locked
local now, id, new_id = clock(ARGV[1]), ARGV[2], ARGV[3]
local job = redis.call('HMGET', job_key(id), 'state', 'actor', 'replayed_as', 'holds')
local state, actor = job[1], job[2]
if not state then return 'unknown' end
if job[3] == new_id then return 'replayed' end
if state == 'succeeded' or state == 'expired' then return 'finished' end
if state ~= 'dead' and state ~= 'cancelled' then return 'active' end
if job[4] and redis.call('HEXISTS', unique_key(job[4]), 'next') == 0 then release_lock(id, job[4], now) end
local _, other = create_job(ARGV, 3, now)
if other then return 'locked' end
redis.call('HSET', job_key(new_id), 'replayed_from', id)
redis.call('HSET', job_key(id), 'replayed_as', new_id)
count(actor, 'replayed', 1)
write_counts(now)
return 'replayed'
