-- examine_schedules: judge whether the last ticks of schedules are numbers.
-- Guarantee: after a repair no tick that may have been fired is fired again.
-- Keys: schedule sessions
-- Uses: keys clock examine
-- ARGV: 1 now  2 repair (1|0)  3.. names of schedules
-- Returns: {findings}, each {schedule, word, 1 when mended, its last tick}
local now = clock(ARGV[1])

examine_each(3, 1, function(name)
  local key = schedule_key(name)
  local last = redis.call('HGET', key, 'last')
  if last and not is_number(last) then
    finding('schedule ' .. name, 'no_number', function() redis.call('HSET', key, 'last', now) end, last:sub(1, 64))
  end
end)
return {rows}
