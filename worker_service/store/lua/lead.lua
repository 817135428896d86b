-- lead: a scheduler process says that it lives; one of those with the newest code leads.
-- Guarantee: older code, which may not know an actor, leads only while no newer code lives. The leader is for
--   efficiency only: the ticks of two that believe to lead are still fired once.
-- Keys: leader schedulers meta
-- Uses: keys clock scheduler
-- ARGV: 1 now  2 scheduler  3 lease_ms  4 candidate (0: it leaves)
-- Returns: {takes (it did not lead before) | leads | follows, now, number of changes of schedules so far}
local now, id, lease_ms = clock(ARGV[1]), ARGV[2], tonumber(ARGV[3])
local holder = redis.call('GET', LEADER)
local changes = tonumber(redis.call('HGET', META, 'schedules_changed') or 0)
redis.call('ZREMRANGEBYSCORE', SCHEDULERS, '-inf', now)
if ARGV[4] == '0' then redis.call('ZREM', SCHEDULERS, id) else redis.call('ZADD', SCHEDULERS, now + lease_ms, id) end
if ARGV[4] == '0' or code_of(id) < newest_code(now) then
  if holder == id then redis.call('DEL', LEADER) end
  return {'follows', now, changes}
end
if holder and holder ~= id and code_of(holder) >= code_of(id) then return {'follows', now, changes} end
redis.call('SET', LEADER, id, 'PX', lease_ms)
return {holder == id and 'leads' or 'takes', now, changes}
