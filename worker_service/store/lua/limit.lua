-- limit: a queue takes no more jobs from outside than a number, or as many as come.
-- Guarantee: jobs that wait already stay, and what follows from jobs that were accepted still comes in; repeatable.
-- Keys: limits sessions watch changed
-- Uses: keys publish
-- ARGV: 1 queue  2 most jobs that may wait in it ('' = no limit)
-- Returns: limited
local queue, most = ARGV[1], ARGV[2]
redis.call('ZREM', SESSIONS, '') -- frees, so that the rest passes when the server is out of memory
if most == '' then redis.call('HDEL', LIMITS, queue) else redis.call('HSET', LIMITS, queue, most) end
publish_change('queues')
return 'limited'
