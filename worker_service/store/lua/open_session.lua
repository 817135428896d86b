-- open_session: a worker process gets the right to hold claims.
-- Guarantee: safe to repeat; a session that was rescued stays gone, because its id is never used again.
-- Keys: sessions session meta watch changed
-- Uses: keys publish clock
-- ARGV: 1 now  2 session  3 lease_ms  4.. field, value pairs of what the process is (host, pid, queues, ...)
-- Returns: opened
local now, session, lease_ms = clock(ARGV[1]), ARGV[2], tonumber(ARGV[3])
if redis.call('EXISTS', session_key(session)) == 0 then redis.call('HINCRBY', META, 'sessions_opened', 1) end
redis.call('HSET', session_key(session), 'opened_at', now, unpack(ARGV, 4))
redis.call('ZADD', SESSIONS, now + lease_ms, session)
publish_change('workers')
return 'opened'
