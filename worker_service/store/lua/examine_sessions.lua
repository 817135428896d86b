-- examine_sessions: judge sessions, and what is left of those that are gone.
-- Guarantee: nothing of a session with a lease is removed, and no token that a running job still has. A bell that was
--   rung after its session went is usual: a repair removes it, and nothing is said.
-- Keys: sessions session running claim bell job
-- Uses: keys clock examine
-- ARGV: 1 now  2 repair (1|0)  3.. sessions
-- Returns: {findings}, each {session, word, 1 when mended, detail}
local now = clock(ARGV[1])

local function holds_a_job(session)
  local running = redis.call('HGETALL', running_key(session))
  for i = 1, #running, 2 do
    local job = redis.call('HMGET', job_key(running[i]), 'state', 'token')
    if job[1] == 'running' and job[2] == running[i + 1] then return true end
  end
  return false
end

examine_each(3, 1, function(session)
  local record, held = session_key(session), running_key(session)
  if redis.call('ZSCORE', SESSIONS, session) then
    if redis.call('EXISTS', record) == 0 then
      finding(session, 'unknown_session', function() redis.call('HSET', record, 'opened_at', now) end)
    end
    return
  end
  if holds_a_job(session) then return end -- told of that job by examine_jobs
  if redis.call('EXISTS', record, held, claim_key(session)) > 0 then
    finding(session, 'gone_session', function() redis.call('DEL', record, held, claim_key(session)) end)
  end
  if REPAIR then redis.call('DEL', bell_key(session)) end
end)
return {rows}
