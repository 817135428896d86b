-- examine_schedules: judge the names of schedules, their places and their numbers.
-- Guarantee: after a repair no tick that may have been fired is fired again; what is under a name that none can have is
--   kept aside for 30 days.
-- Keys: schedule schedules ticks asked meta bell aside sessions watch changed
-- Uses: keys publish clock schedule examine
-- ARGV: 1 now  2 repair (1|0)  3.. names of schedules
-- Returns: {findings}, each {schedule, word, 1 when mended, what it has}
local now = clock(ARGV[1])
local KEEP_MS = 30 * 24 * 3600 * 1000

local function drop(name)
  redis.call('ZREM', SCHEDULES, name)
  for _, each in ipairs({{schedule_key(name), 'schedule:'}, {ticks_key(name), 'ticks:'},
    {asked_key(name), 'asked:'}}) do
    if redis.call('EXISTS', each[1]) == 1 then
      redis.call('RENAME', each[1], aside_key(each[2] .. name))
      redis.call('PEXPIRE', aside_key(each[2] .. name), KEEP_MS)
    end
  end
  tell_schedulers()
end

examine_each(3, 1, function(name)
  if not name:match('^[%w_][%w_.-]*$') or #name > 64 then
    finding(name, 'bad_name', function() drop(name) end)
    return
  end
  local kind = redis.call('TYPE', schedule_key(name)).ok
  if kind == 'none' and redis.call('ZSCORE', SCHEDULES, name) then
    finding(name, 'no_schedule', function() redis.call('ZREM', SCHEDULES, name) end)
  end
  if kind ~= 'hash' then return end
  for field, value in pairs(damaged_numbers(name)) do
    finding('schedule ' .. name, 'no_number', function()
      mend_number(name, field, now)
      tell_schedulers()
    end, field .. ' ' .. value:sub(1, 64))
  end
  local marks = redis.call('HMGET', schedule_key(name), 'uid', 'source')
  if not is_uid(marks[1]) then
    finding(name, 'unmarked', function() redis.call('HSET', schedule_key(name), 'uid', 'mended-' .. now) end, 'its uid')
  end
  if marks[2] ~= 'api' and marks[2] ~= 'code' then
    finding(name, 'unmarked', function() redis.call('HSET', schedule_key(name), 'source', 'api') end, 'its source')
  end
  if not redis.call('ZSCORE', SCHEDULES, name) then
    finding(name, 'unlisted', function()
      local place = redis.call('HMGET', schedule_key(name), 'paused', 'next')
      redis.call('ZADD', SCHEDULES, not place[1] and place[2] or '+inf', name)
      tell_schedulers()
    end)
  end
end)
return {rows}
