-- examine_members: judge jobs that ended, and belong to a group, by whether that has heard of it.
-- Guarantee: a member is counted once; callbacks that follow from it are created in the same step.
-- Keys: counted job group msg jobs queues q due wake arrivals total m final watch ev sessions log unique tag tags changed deliveries hook deadlines
-- Uses: keys publish clock count deadline place unique tags final expire create join examine
-- ARGV: 1 now  2 repair (1|0)  3.. ids
-- Returns: {findings, groups that these jobs belong to}, each finding {id, word, 1 when mended, the group}
local now = clock(ARGV[1])
local groups = {}

examine_each(3, 1, function(id)
  local job = redis.call('HMGET', job_key(id), 'state', 'group', 'member')
  local state, group = job[1], job[2]
  if not group then return end
  groups[#groups + 1] = group
  if KIND[state] ~= 'ended' then return end
  local about = redis.call('HMGET', group_key(group), 'size', 'failed', 'member:' .. id)
  if not about[1] then return end -- complete, or expired
  if state ~= 'succeeded' then
    if not about[2] then finding(id, 'untold', function() fail_group(id, now) end, group) end
  elseif job[3] and not about[3] then
    finding(id, 'uncounted', function() join_group(group, id, now) end, group)
  end
end)
write_counts(now)
return {rows, groups}
