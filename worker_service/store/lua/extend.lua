-- extend: move the lease of a session forward.
-- Guarantee: a session whose jobs were rescued, or are being rescued, is not revived.
-- Keys: sessions
-- Uses: keys clock session
-- ARGV: 1 now  2 session  3 lease_ms
-- Returns: extended | session_lost
local now, session, lease_ms = clock(ARGV[1]), ARGV[2], tonumber(ARGV[3])
redis.call('ZREM', SESSIONS, '') -- frees, so that the rest passes when the server is out of memory
if not has_lease(session) then return 'session_lost' end
redis.call('ZADD', SESSIONS, now + lease_ms, session)
return 'extended'
