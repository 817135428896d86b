-- tell_worker: ask a worker process to take no more jobs (quiet), or to stop.
-- Guarantee: the word stays with its session, for a process that has not heard the bell; repeatable.
-- Keys: sessions session bell changed watch
-- Uses: keys publish clock session
-- ARGV: 1 now  2 session  3 word (quiet|stop)
-- Returns: told | unknown
local now, session, word = clock(ARGV[1]), ARGV[2], ARGV[3]
redis.call('ZREM', SESSIONS, '') -- frees, so that the rest passes when the server is out of memory
if not has_lease(session) then return 'unknown' end
redis.pcall('HSETNX', session_key(session), word .. '_at', now) -- of another type: then the bell alone tells it
redis.call('ZADD', bell_key(session), 0, word)
publish_change('workers')
return 'told'
