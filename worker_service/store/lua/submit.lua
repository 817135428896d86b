-- submit: create jobs, each queued or scheduled.
-- Guarantee: a job exists whole (record, message, place) or not at all; an id that exists is left alone,
--   so the call may be repeated after a lost reply.
-- Keys: job msg jobs queues q due wake arrivals total m final watch ev
-- Uses: keys clock count place end create
-- ARGV: 1 now ('' = server clock)  2 number of jobs  3.. eleven values each, see lib/create.lua
-- Returns: one word per job: created | exists
local now, n = clock(ARGV[1]), tonumber(ARGV[2])
local words = {}
for k = 0, n - 1 do
  words[k + 1] = create_job(3 + k * CREATE_WIDTH, now)
end
write_counts(now)
return words
