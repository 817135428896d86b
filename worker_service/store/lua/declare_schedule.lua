-- declare_schedule: the code of a scheduler says that there is this schedule, again and again while it lives.
-- Guarantee: old and new code side by side do not undo each other: a definition goes forward to that of newer code;
--   code of the same version or an older one has its way only when that one was not heard of for a while.
-- Keys: schedule schedules meta bell watch changed
-- Uses: keys publish clock schedule
-- ARGV: 1 now  2 name  3 uid, for a new one  4 definition (JSON)  5 next tick ('' = none)  6 max_runs ('' = no
--   limit)  7 version of the code (a number that grows)  8 quiet_ms (how long newer code has to be silent)
-- Returns: created | updated | unchanged | older | taken | behind (next was fired meanwhile)
local now, name, definition, code = clock(ARGV[1]), ARGV[2], ARGV[4], tonumber(ARGV[7])
local key = schedule_key(name)
local found = redis.call('HMGET', key, 'definition', 'source', 'code', 'declared_at', 'version')
if found[2] == 'api' then return 'taken' end
local known, declared_at = tonumber(found[3]) or 0, tonumber(found[4]) or 0
if found[1] and found[1] ~= definition and known >= code and declared_at > now - tonumber(ARGV[8]) then
  return 'older'
end
if found[1] == definition and is_version(found[5]) then
  redis.call('HSET', key, 'code', math.max(code, known), 'declared_at', now)
  return 'unchanged'
end
if is_behind(name, ARGV[5]) then return 'behind' end
write_definition(name, now, ARGV[3], definition, ARGV[5], ARGV[6], 'code')
redis.call('HSET', key, 'code', code, 'declared_at', now)
if found[1] then return 'updated' end
return 'created'
