-- group_failures: count dead jobs by what made them die, of a part of them.
-- Guarantee: nothing is changed; a job that was run again as another one is left out.
-- Keys: final job
-- Uses: keys
-- ARGV: 1 the state (dead)  2 first place among its jobs, from the oldest  3 last place  4 now
--   5 hours for which deaths are told one by one
-- Returns: {fingerprint ('' when it died without an error), actor, reason, newest, its end, end of the oldest, how many,
--   how many by hours ago ('0:3 5:1')} of each group, that of the newest first
local HOUR_MS = 3600000
local now, hours = tonumber(ARGV[4]), tonumber(ARGV[5])
local rows = redis.call('ZRANGE', final_key(ARGV[1]), ARGV[2], ARGV[3], 'WITHSCORES')
local groups, by_name, by_hour = {}, {}, {}

for i = #rows - 1, 1, -2 do
  local id, at = rows[i], tonumber(rows[i + 1])
  local found = redis.pcall('HMGET', job_key(id), 'actor', 'reason', 'fingerprint', 'replayed_as')
  if found.err then found = {} end -- a key of another type, which nobody of ours made
  if not found[4] then
    local actor, reason, fingerprint = found[1] or '', found[2] or '', found[3] or ''
    local name = fingerprint ~= '' and fingerprint or '\0' .. actor .. '\0' .. reason
    local group = by_name[name]
    if not group then
      group = {fingerprint, actor, reason, id, at, at, 0}
      by_name[name], by_hour[name] = group, {}
      groups[#groups + 1] = group
    end
    group[6], group[7] = at, group[7] + 1
    local ago = math.floor(math.max(0, now - at) / HOUR_MS)
    if ago < hours then by_hour[name][ago] = (by_hour[name][ago] or 0) + 1 end
  end
end
for name, group in pairs(by_name) do
  local told = {}
  for ago, deaths in pairs(by_hour[name]) do told[#told + 1] = ago .. ':' .. deaths end
  group[8] = table.concat(told, ' ')
end
return groups
