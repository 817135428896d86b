-- pause: no job of a queue is started any more, for as long as asked or until it is resumed.
-- Guarantee: jobs that run go on, new ones are accepted and wait; a second pause replaces the first.
-- Keys: paused watch changed
-- Uses: keys publish
-- ARGV: 1 queue  2 until (UTC ms, '' = until it is resumed)  3 about (JSON: why, since when, by whom)
-- Returns: paused
local queue, till, about = ARGV[1], ARGV[2], ARGV[3]
redis.call('HSET', PAUSED, queue, till .. ' ' .. about)
publish_change('queues')
return 'paused'
