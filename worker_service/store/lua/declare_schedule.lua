-- declare_schedule: the code of a scheduler says that there is this schedule, again and again while it lives.
-- Guarantee: old and new code side by side do not undo each other: a definition goes forward to that of newer code;
--   older code has its way when that one was not heard of for a while, and code of the same version when no scheduler
--   lives that declares what is there. What is damaged is written anew.
-- Keys: schedule schedules schedulers meta bell watch changed
-- Uses: keys publish clock schedule scheduler
-- ARGV: 1 now  2 name  3 uid, for a new one  4 definition (JSON)  5 next tick ('' = none)  6 max_runs ('' = no
--   limit)  7 scheduler  8 quiet_ms (how long newer code has to be silent)
-- Returns: created | updated | unchanged | older | taken | behind (next was fired meanwhile) | damaged (another type)
local now, name, definition, scheduler = clock(ARGV[1]), ARGV[2], ARGV[4], ARGV[7]
local key, code = schedule_key(name), code_of(scheduler)
local kind = redis.call('TYPE', key).ok
if kind ~= 'hash' and kind ~= 'none' then return 'damaged' end
local found = redis.call('HMGET', key, 'definition', 'source', 'code', 'declared_at', 'declared_as')
if found[2] == 'api' then return 'taken' end
local known, declared_at = tonumber(found[3] or '') or 0, tonumber(found[4] or '') or 0

-- Whether what is there is somebody else's, who is to have his way.
local function is_kept()
  if not found[1] or found[1] == definition or known < code then return false end
  if known > code then return declared_at > now - tonumber(ARGV[8]) end
  local theirs = found[5] or ''
  return theirs ~= declares_of(scheduler) and lives(theirs, now)
end

local function note_declared()
  redis.call('HSET', key, 'code', math.max(code, known), 'declared_at', now, 'declared_as', declares_of(scheduler))
end

if is_kept() then return 'older' end
if found[1] == definition and found[2] == 'code' and is_sound(name) then
  note_declared()
  if not redis.call('ZSCORE', SCHEDULES, name) then set_next(name, redis.call('HGET', key, 'next') or '') end
  return 'unchanged'
end
if is_behind(name, ARGV[5]) then return 'behind' end
write_definition(name, now, ARGV[3], definition, ARGV[5], ARGV[6], 'code')
known = 0
note_declared()
if found[1] then return 'updated' end
return 'created'
