-- expire: end the jobs whose deadline has passed and that nobody has started, on whatever queue they wait.
-- Guarantee: only a job that waits, has not begun and is past its deadline expires; jobs without a deadline cost
--   nothing; repeatable. A damaged record does not hold the rest.
-- Keys: counted sessions deadlines job q due jobs queues msg total m final watch ev group unique wake tag tags changed arrivals deliveries hook
-- Uses: keys publish clock count deadline place unique tags final expire
-- ARGV: 1 now  2 limit (jobs in one call)
-- Returns: {number expired, 1 when more remain}
local now, limit = clock(ARGV[1]), tonumber(ARGV[2])
redis.call('ZREM', SESSIONS, '') -- frees, so that the rest passes when the server is out of memory
local overdue, expired = redis.call('ZRANGEBYSCORE', DEADLINES, '-inf', now, 'LIMIT', 0, limit), 0
for _, id in ipairs(overdue) do
  local readable, has_expired = pcall(expire_if_overdue, id, now)
  if readable and has_expired then expired = expired + 1 end
  redis.call('ZREM', DEADLINES, id) -- also what does not belong here: it would stand in the way of the rest
end
write_counts(now)
return {expired, #overdue >= limit and 1 or 0}
