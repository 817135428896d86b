-- Ends a job whose record cannot be used, so that it holds up no other: dead, for a person to look at.
local function bury(session, id, now)
  redis.call('HDEL', running_key(session), id)
  if redis.call('TYPE', job_key(id)).ok == 'hash' then
    local actor = redis.call('HGET', job_key(id), 'actor')
    redis.call('HSET', job_key(id), 'state', 'dead', 'reason', 'damaged_record', 'finished_at', now)
    redis.call('HDEL', job_key(id), 'token', 'place', 'wait_reason')
    count(actor, 'dead', 1)
  end
  enter_final(id, 'dead', now)
end
