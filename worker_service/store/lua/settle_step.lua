-- settle_step: a person says how a step ended that a run began, and of which nobody heard again.
-- Guarantee: only a begun step of a job that does not run is settled; a call repeated with the same nonce (its reply
--   was lost) answers the same and changes nothing.
-- Keys: job step
-- Uses: keys clock step
-- ARGV: 1 now  2 id  3 step  4 nonce  5 outcome (done, not_done)  6 result (JSON)
-- Returns: settled | running | done | no_step | unknown
local now, id, step, nonce, outcome, result = clock(ARGV[1]), ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local job = redis.call('HMGET', job_key(id), 'state', 'settled_by')
if not job[1] then return 'unknown' end
if job[2] == nonce then return 'settled' end
local state = read_step(id, step)
if not state then return 'no_step' end
if state == 'done' then return 'done' end
if job[1] == 'running' then return 'running' end
redis.call('HSET', job_key(id), 'settled_by', nonce)
write_outcome(id, step, outcome, now, 'person', result)
return 'settled'
