-- close_session: a worker process leaves; what it still holds goes back to its old place, uncharged. What was
--   asked to stop is cancelled.
-- Guarantee: no job stays with a session that is gone; marks the process may have taken are set again.
--   A damaged record is buried and does not hold the rest.
-- Keys: counted sessions session running claim bell job q wake due queues total m final watch ev jobs msg group unique tag tags changed arrivals deliveries hook deadlines
-- Uses: keys publish clock count session deadline place unique tags final cancelled bury
-- ARGV: 1 now  2 session  3 limit (jobs handed back in one call)  4.. ids of those that had begun
-- Returns: closed | more (call again)
local now, session, limit = clock(ARGV[1]), ARGV[2], tonumber(ARGV[3])
redis.call('ZREM', SESSIONS, '') -- frees, so that the rest passes when the server is out of memory

local began = {}
for i = 4, #ARGV do began[ARGV[i]] = true end

local function give_back(id, token)
  local job = redis.call('HMGET', job_key(id), 'token', 'queue', 'place', 'actor', 'cancel_asked')
  if job[1] == token and job[5] then
    redis.call('HDEL', running_key(session), id)
    enter_cancelled(id, job[4], now)
  elseif job[1] == token then
    put_back(session, id, job[2], job[3], began[id])
  else
    redis.call('HDEL', running_key(session), id)
  end
end

local running = redis.call('HGETALL', running_key(session))
for i = 1, #running, 2 do
  if i > 2 * limit then return 'more' end
  if not pcall(give_back, running[i], running[i + 1]) then bury(session, running[i], now) end
end
remove_session(session)
wake_all()
write_counts(now)
return 'closed'
