-- put_schedule: create a schedule, or replace its definition.
-- Guarantee: a definition is replaced only if it has the expected version; its ticks fired so far stay fired.
--   Repeated with the same definition it changes nothing.
-- Keys: schedule schedules meta bell watch changed
-- Uses: keys publish clock schedule
-- ARGV: 1 now  2 name  3 what is to be replaced ('' = any, 0 = there is none, else uid-version)  4 uid, for a new one
--   5 definition (JSON)  6 next tick ('' = none)  7 max_runs ('' = no limit)
-- Returns: {created | updated | unchanged | conflict | from_code | behind (next was fired meanwhile), version}
local now, name, expected, definition = clock(ARGV[1]), ARGV[2], ARGV[3], ARGV[5]
local found = redis.call('HMGET', schedule_key(name), 'version', 'definition', 'source', 'uid')
local version = tonumber(found[1] or 0)
if found[3] == 'code' then return {'from_code', version} end
if found[2] == definition then return {'unchanged', version} end
if expected ~= '' and expected ~= edition_of(found[4], found[1]) then return {'conflict', version} end
if is_behind(name, ARGV[6]) then return {'behind', version} end
write_definition(name, now, ARGV[4], definition, ARGV[6], ARGV[7], 'api')
if version == 0 then return {'created', 1} end
return {'updated', version + 1}
