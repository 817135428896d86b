-- How a job that a person stopped ends, whoever held it last.
local function enter_cancelled(id, actor, now)
  redis.call('HDEL', job_key(id), 'token', 'place', 'wait_reason')
  redis.call('HSET', job_key(id), 'state', 'cancelled', 'finished_at', now)
  count(actor, 'cancelled', 1)
  enter_final(id, 'cancelled', now)
end
