-- Schedules: their place by the next tick, and the newest ticks with what became of them.
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

-- A tick that is to come, but was fired since who wants to set it has looked: he has to look again.
local function is_behind(name, tick)
  local last = tonumber(redis.call('HGET', schedule_key(name), 'last') or '')
  return tick ~= '' and last and tonumber(tick) <= last
end

-- What tells a definition from all others, also from those of an earlier schedule of this name; 0 when there is none.
local function edition_of(uid, version)
  return uid and version and uid .. '-' .. version or '0'
end

local function note_tick(name, tick, cause, outcome, job)
  redis.call('XADD', ticks_key(name), 'MAXLEN', '~', KEPT_TICKS, '*', 'tick', tick, 'cause', cause,
    'outcome', outcome, 'job', job)
  publish_change('schedules')
end

local function is_version(text)
  return text and text:match('^%d+$') and #text < 16
end

-- A definition that is new or differs, or whose version is damaged; its ticks begin with next.
local function write_definition(name, now, uid, definition, next, max_runs, source)
  local key = schedule_key(name)
  redis.call('HSETNX', key, 'uid', uid)
  redis.call('HSETNX', key, 'created_at', now)
  redis.call('HSET', key, 'definition', definition, 'max_runs', max_runs, 'source', source)
  if not is_version(redis.call('HGET', key, 'version')) then redis.call('HSET', key, 'version', 0) end
  redis.call('HINCRBY', key, 'version', 1)
  set_next(name, next)
  if redis.call('HEXISTS', key, 'paused') == 1 then redis.call('ZADD', SCHEDULES, '+inf', name) end
  tell_schedulers()
end
