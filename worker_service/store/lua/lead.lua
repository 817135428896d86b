-- lead: a scheduler process says that it lives; one of them leads.
-- Guarantee: the leader is for efficiency only: the ticks of two that believe to lead are still fired once.
-- Keys: leader schedulers meta
-- Uses: keys clock
-- ARGV: 1 now  2 scheduler  3 lease_ms  4 candidate (0: it leaves)
-- Returns: {leading | following, now, number of changes of schedules so far}
local now, id, lease_ms = clock(ARGV[1]), ARGV[2], tonumber(ARGV[3])
local holder = redis.call('GET', LEADER)
redis.call('ZREMRANGEBYSCORE', SCHEDULERS, '-inf', now)
if ARGV[4] == '0' then
  redis.call('ZREM', SCHEDULERS, id)
  if holder == id then redis.call('DEL', LEADER) end
else
  redis.call('ZADD', SCHEDULERS, now + lease_ms, id)
  if not holder or holder == id then
    redis.call('SET', LEADER, id, 'PX', lease_ms)
    holder = id
  end
end
local changes = tonumber(redis.call('HGET', META, 'schedules_changed') or 0)
if holder == id and ARGV[4] ~= '0' then return {'leading', now, changes} end
return {'following', now, changes}
