-- resume: jobs of a queue are started again.
-- Guarantee: a worker that waits hears of it at once; repeatable.
-- Keys: paused sessions wake watch changed
-- Uses: keys publish place
-- ARGV: 1 queue
-- Returns: resumed
local queue = ARGV[1]
redis.call('ZREM', SESSIONS, '') -- frees, so that the rest passes when the server is out of memory
redis.call('HDEL', PAUSED, queue)
wake(queue)
publish_change('queues')
return 'resumed'
