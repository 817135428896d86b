-- examine_groups: judge whether groups have counted their members, and whether anybody will complete them.
-- Guarantee: callbacks are created once, in the step that finds them due. Those of a group that can never be complete
--   are created dead, for a person to see and replay.
-- Keys: counted group job msg jobs queues q due wake arrivals total m final watch ev sessions log unique tag tags changed deliveries hook deadlines
-- Uses: keys publish clock count deadline place unique tags final expire create join examine
-- ARGV: 1 now  2 repair (1|0)  3 deserted (1: no job of these groups was found, in two looks)  4.. groups
-- Returns: {findings}, each {group, word, 1 when mended, detail}
local now, deserted = clock(ARGV[1]), ARGV[3] == '1'
local KEEP_MS, YOUNG_MS = 30 * 24 * 3600 * 1000, 3600 * 1000

local function give_up(group)
  redis.call('HSET', group_key(group), 'failed', '-')
  local values = callbacks_of(group)
  for i = 1, #values, CREATE_WIDTH do create_dead(values, i, 'group_failed', now) end
end

-- Its members may still be on their way to the server.
local function is_young(group)
  return redis.call('PTTL', group_key(group)) > KEEP_MS - YOUNG_MS
end

examine_each(4, 1, function(group)
  local key = group_key(group)
  local fields = redis.call('HMGET', key, 'size', 'joined', 'failed', 'callbacks')
  local members = redis.call('HLEN', key)
  for _, field in ipairs({1, 2, 3, 4}) do
    if fields[field] then members = members - 1 end
  end
  if fields[3] or redis.call('EXISTS', key) == 0 then return end
  local size = tonumber(fields[1])
  local readable, callbacks = pcall(callbacks_of, group)
  if not readable or #callbacks % CREATE_WIDTH > 0 then
    finding(group, 'no_callbacks', function() redis.call('DEL', key) end)
  elseif not size then
    finding(group, 'no_size', function() give_up(group) end)
  elseif members ~= tonumber(fields[2] or 0) or members >= size then
    finding(group, 'miscounted', function()
      redis.call('HSET', key, 'joined', members)
      if members >= size then complete_group(group, '', now) end
    end, members .. ' of ' .. size)
  elseif deserted and fields[4] and not is_young(group) then
    finding(group, 'deserted', function() give_up(group) end, members .. ' of ' .. size)
  end
end)
write_counts(now)
return {rows}
