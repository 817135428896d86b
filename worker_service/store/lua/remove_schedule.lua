-- remove_schedule: a schedule and its history go; its jobs stay.
-- Guarantee: one that code declares goes only when no code has declared it since an instant; one that cannot be read
--   goes as well; repeatable.
-- Keys: sessions schedule schedules ticks asked meta bell watch changed
-- Uses: keys publish schedule
-- ARGV: 1 name  2 what is to be removed ('' = any, else uid-version)  3 silent_since ('' = it is one of the API's; else one of code)
-- Returns: removed | unknown | conflict | from_code | declared
local name, expected, silent_since = ARGV[1], ARGV[2], ARGV[3]
redis.call('ZREM', SESSIONS, '') -- frees, so that the rest passes when the server is out of memory
local kind, found = redis.call('TYPE', schedule_key(name)).ok, {}
if kind == 'none' and not redis.call('ZSCORE', SCHEDULES, name) then return 'unknown' end
if kind == 'hash' then found = redis.call('HMGET', schedule_key(name), 'version', 'source', 'declared_at', 'uid') end
if expected ~= '' and expected ~= edition_of(found[4], found[1]) then return 'conflict' end
if found[2] == 'code' then
  if silent_since == '' then return 'from_code' end
  if tonumber(found[3] or 0) > tonumber(silent_since) then return 'declared' end
end
redis.call('DEL', schedule_key(name), ticks_key(name), asked_key(name))
redis.call('ZREM', SCHEDULES, name)
tell_schedulers()
return 'removed'
