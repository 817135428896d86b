-- examine_counters: judge whether counters of actors, of all time and of a minute, are numbers to which can be added.
-- Guarantee: what is removed is only a value to which nothing could be added.
-- Keys: total m sessions
-- Uses: keys examine
-- ARGV: 1 now (of no use here)  2 repair (1|0)  3 family (total|m)  4.. names: an actor, or actor:minute
-- Returns: {findings}, each {name, word, 1 when mended, the counter}
local family = ARGV[3]

local function key_of(name)
  if family == 'total' then return total_key(name) end
  return minute_key(name:match('^(.*):([^:]*)$'))
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
