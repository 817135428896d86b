-- examine_numbers: judge single numbers on which the scripts count: arrivals, and those in meta.
-- Guarantee: after a repair arrivals go on above all earlier ones, and the data has a schema. One that has none is no
--   damage in a namespace in which nothing has ever been.
-- Keys: sessions arrivals meta
-- Uses: keys clock examine
-- ARGV: 1 now  2 repair (1|0)  3 schema of this version
-- Returns: {findings}, each {name of the number, word, 1 when mended, its value}
local now, schema = clock(ARGV[1]), ARGV[3]

local function judge(name, value, mend)
  if value and not is_number(value) then finding(name, 'no_number', mend, value:sub(1, 64)) end
end

local function mend_schema()
  redis.call('HSET', META, 'schema', schema)
end

free_first()
judge('arrivals', redis.call('GET', ARRIVALS), function() redis.call('SET', ARRIVALS, now) end)
for _, field in ipairs({'rescue_at', 'rescue_hold', 'sessions_opened', 'rolled_up'}) do
  judge('meta ' .. field, redis.call('HGET', META, field), function() redis.call('HDEL', META, field) end)
end
local found = redis.call('HGET', META, 'schema')
judge('meta schema', found, mend_schema)
if not found and redis.call('EXISTS', META, ARRIVALS) > 0 then finding('meta schema', 'no_schema', mend_schema) end
return {rows}
