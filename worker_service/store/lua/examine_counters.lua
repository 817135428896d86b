-- examine_counters: judge whether counters of actors, of all time and of a span of it, are numbers to which can be added.
-- Guarantee: what is removed is only a value to which nothing could be added.
-- Keys: total m t h sessions
-- Uses: keys examine
-- ARGV: 1 now (of no use here)  2 repair (1|0)  3 family (total|m|t|h)  4.. names: an actor, or actor:number of the span
-- Returns: {findings}, each {name, word, 1 when mended, the counter}
local family = ARGV[3]

local function key_of(name)
  if family == 'total' then return total_key(name) end
  local actor, number = name:match('^(.*):([^:]*)$')
  if family == 'm' then return minute_key(actor, number) end
  if family == 't' then return ten_key(actor, number) end
  return hour_key(actor, number)
end

examine_each(4, 1, function(name)
  local counters = redis.call('HGETALL', key_of(name))
  for i = 1, #counters, 2 do
    local counter, value = counters[i], counters[i + 1]
    if not is_number(value) then
      finding(name, 'no_counter', function() redis.call('HDEL', key_of(name), counter) end, counter)
    end
  end
end)
return {rows}
