-- close_session: a worker process leaves; what it still holds goes back to its old place, uncharged.
-- Guarantee: no job stays with a session that is gone; marks the process may have taken are set again.
-- Keys: sessions session running claim bell job q wake due queues
-- Uses: keys place
-- ARGV: 1 session  2 limit (jobs handed back in one call)
-- Returns: closed | more (call again)
local session, limit = ARGV[1], tonumber(ARGV[2])
redis.call('ZREM', SESSIONS, '') -- frees, so that the rest passes when the server is out of memory
local running = redis.call('HGETALL', running_key(session))
for i = 1, #running, 2 do
  if i > 2 * limit then return 'more' end
  local id, token = running[i], running[i + 1]
  local job = redis.call('HMGET', job_key(id), 'token', 'queue', 'place')
  if job[1] == token then
    put_back(session, id, job[2], job[3], token)
  else
    redis.call('HDEL', running_key(session), id)
  end
end
redis.call('ZREM', SESSIONS, session)
redis.call('DEL', session_key(session), running_key(session), claim_key(session), bell_key(session))
wake_all()
return 'closed'
