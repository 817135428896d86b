-- examine_numbers: judge the numbers on which the scripts count: arrivals, instants of rescues and of ticks.
-- Guarantee: after a repair arrivals go on above all earlier ones, and no tick that may have been fired is fired again.
-- Keys: sessions arrivals meta schedule
-- Uses: keys clock examine
-- ARGV: 1 now  2 repair (1|0)  3.. names of schedules
-- Returns: {findings}, each {name of the number, word, 1 when mended, its value}
local now = clock(ARGV[1])

local function is_number(value)
  return value:match('^%d+$')
end

local function judge(name, value, mend)
  if value and not is_number(value) then finding(name, 'no_number', mend, value:sub(1, 64)) end
end

judge('arrivals', redis.call('GET', ARRIVALS), function() redis.call('SET', ARRIVALS, now) end)
for _, field in ipairs({'rescue_at', 'rescue_hold', 'sessions_opened', 'schema'}) do
  judge('meta ' .. field, redis.call('HGET', META, field), function() redis.call('HDEL', META, field) end)
end
examine_each(3, 1, function(name)
  local key = schedule_key(name)
  judge('schedule ' .. name, redis.call('HGET', key, 'last'), function() redis.call('HSET', key, 'last', now) end)
end)
return {rows}
