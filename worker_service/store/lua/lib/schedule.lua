-- Schedules: their place by the next tick, and the newest ticks with what became of them. What people asked for (run now,
-- backfills) is kept apart, so that a thousand of them push no tick out.
local KEPT_TICKS = 500

-- The schedulers look again: something else is to be fired from now on.
local function tell_schedulers()
  redis.call('HINCRBY', META, 'schedules_changed', 1)
  redis.call('ZADD', bell_key('schedulers'), 0, 'ring')
  publish_change('schedules')
end

-- tick is due next; none ('') when it was the last one, or no run is left.
local function set_next(name, tick)
  local used = redis.call('HMGET', schedule_key(name), 'runs', 'max_runs')
  local most = tonumber(used[2] or '')
  if tick == '' or (most and tonumber(used[1] or 0) >= most) then
    redis.call('HDEL', schedule_key(name), 'next')
    redis.call('ZADD', SCHEDULES, '+inf', name)
  else
    redis.call('HSET', schedule_key(name), 'next', tick)
    redis.call('ZADD', SCHEDULES, tick, name)
  end
end

-- Numbers of a schedule: the largest that they may be, and whether there always is one. See store/schedule_record.py.
local LAST_TICK, LARGEST = 253339228800000, 2 ^ 53 - 1
local NUMBERS = {
  version = {LARGEST, true}, created_at = {LAST_TICK, true}, declared_at = {LAST_TICK}, last = {LAST_TICK},
  next = {LAST_TICK}, code = {LARGEST}, runs = {LARGEST}, skipped = {LARGEST}, missed = {LARGEST},
}
local COUNTERS = {code = true, runs = true, skipped = true, missed = true}

local function is_whole(text, most)
  return text == '0' or (text:match('^[1-9]%d*$') and #text < 17 and tonumber(text) <= most)
end

-- A tick that is to come, but was fired since who wants to set it has looked: he has to look again.
local function is_behind(name, tick)
  local last = redis.call('HGET', schedule_key(name), 'last')
  return tick ~= '' and last and is_whole(last, LAST_TICK) and tonumber(tick) <= tonumber(last)
end

-- What tells a definition from all others, also from those of an earlier schedule of this name; 0 when there is none.
local function edition_of(uid, version)
  return uid and version and uid .. '-' .. version or '0'
end

-- A history of another type, which the doctor names, must not keep a tick from being counted.
local function note_tick(history, tick, cause, outcome, job)
  local kind = redis.call('TYPE', history).ok
  if kind ~= 'stream' and kind ~= 'none' then return end
  redis.call('XADD', history, 'MAXLEN', '~', KEPT_TICKS, '*', 'tick', tick, 'cause', cause,
    'outcome', outcome, 'job', job)
  publish_change('schedules')
end

-- Those that are none, with what they hold ('' when they are missing).
local function damaged_numbers(name)
  local damaged = {}
  for field, rule in pairs(NUMBERS) do
    local value = redis.call('HGET', schedule_key(name), field)
    if (value and not is_whole(value, rule[1])) or (not value and rule[2]) then damaged[field] = value or '' end
  end
  return damaged
end

local function is_uid(text)
  return text and #text <= 64 and text:match('^[!#-~]+$')
end

local function is_sound(name)
  return is_uid(redis.call('HGET', schedule_key(name), 'uid')) and next(damaged_numbers(name)) == nil
end

-- One that is damaged is replaced so that nothing that may have been fired is fired again, and no version comes twice.
local function mend_number(name, field, now)
  redis.call('HSET', schedule_key(name), field, COUNTERS[field] and 0 or now)
  if field == 'next' and redis.call('HEXISTS', schedule_key(name), 'paused') == 0 then
    redis.call('ZADD', SCHEDULES, now, name)
  end
end

-- A definition that is new or differs, or beside which something is damaged; its ticks begin with next.
local function write_definition(name, now, uid, definition, next, max_runs, source)
  local key = schedule_key(name)
  if redis.call('EXISTS', key) == 0 then redis.call('HSET', key, 'version', 0, 'created_at', now) end
  if not is_uid(redis.call('HGET', key, 'uid')) then redis.call('HSET', key, 'uid', uid) end
  for field in pairs(damaged_numbers(name)) do mend_number(name, field, now) end
  redis.call('HSET', key, 'definition', definition, 'max_runs', max_runs, 'source', source)
  redis.call('HDEL', key, 'hindered')
  redis.call('HINCRBY', key, 'version', 1)
  set_next(name, next)
  if redis.call('HEXISTS', key, 'paused') == 1 then redis.call('ZADD', SCHEDULES, '+inf', name) end
  tell_schedulers()
end
