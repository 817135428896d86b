-- extend: move the lease of a session forward, and say whether its process gets on.
-- Guarantee: a session whose jobs were rescued, or are being rescued, is not revived.
-- Keys: sessions session
-- Uses: keys clock session
-- ARGV: 1 now  2 session  3 lease_ms  4 memory (bytes that the process holds, '' for unknown)
--   5 stalled_ms (for how long it has not got on; '' = it does)  6 what it does not do (claim | start | write)
-- Returns: extended | session_lost
local now, session, lease_ms, memory = clock(ARGV[1]), ARGV[2], tonumber(ARGV[3]), ARGV[4]
local stalled_ms, duty = ARGV[5], ARGV[6]
redis.call('ZREM', SESSIONS, '') -- frees, so that the rest passes when the server is out of memory
if not has_lease(session) then return 'session_lost' end
redis.call('ZADD', SESSIONS, now + lease_ms, session)
-- Of a session whose record was lost nothing is made up; of another type, it stays as it is.
if redis.call('EXISTS', session_key(session)) == 0 then return 'extended' end
if memory ~= '' then redis.pcall('HSET', session_key(session), 'memory', memory) end
if stalled_ms == '' then
  redis.pcall('HDEL', session_key(session), 'stalled_at', 'stalled_in')
else
  redis.pcall('HSET', session_key(session), 'stalled_at', now - tonumber(stalled_ms), 'stalled_in', duty)
end
return 'extended'
