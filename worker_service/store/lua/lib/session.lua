-- The right of a worker process to hold claims. A rescue that takes several calls ends it with the first,
-- by a lease of 0: nobody may revive a session that has lost some of its jobs.
local function has_lease(session)
  local lease_end = redis.call('ZSCORE', SESSIONS, session)
  return lease_end and lease_end ~= '0'
end

local function end_lease(session)
  redis.call('ZADD', SESSIONS, 0, session)
end

local function remove_session(session)
  redis.call('ZREM', SESSIONS, session)
  redis.call('DEL', session_key(session), running_key(session), claim_key(session), bell_key(session))
  publish_change('workers')
end
