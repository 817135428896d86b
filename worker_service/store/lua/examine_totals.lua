-- examine_totals: judge whether the counters of actors add up: as many jobs came as have ended, are lost, or wait or run.
-- Guarantee: all are read at one instant, so no job that moves is counted twice; a mended counter only grows.
-- Keys: total queues q due sessions running job
-- Uses: keys examine
-- ARGV: 1 now (of no use here)  2 repair (1|0)  3 most (jobs that wait or run; with more nothing is judged)  4.. actors
-- Returns: {findings, 1 when nothing was judged}, each finding {actor, word, 1 when mended, how many are missing}
local most = tonumber(ARGV[3])
local places, active, size = {}, {}, 0

local function look_at(key, number_of, list)
  local number = redis.call(number_of, key)
  size = size + number
  if number > 0 then places[#places + 1] = {key, list} end
end

for _, queue in ipairs(redis.call('HKEYS', QUEUES)) do
  look_at(ready_key(queue), 'ZCARD', 'ZRANGE')
  look_at(due_key(queue), 'ZCARD', 'ZRANGE')
end
for _, session in ipairs(redis.call('ZRANGE', SESSIONS, 0, -1)) do
  look_at(running_key(session), 'HLEN', 'HKEYS')
end
if size > most then return {{}, 1} end

local function members(key, list)
  if list == 'HKEYS' then return redis.call('HKEYS', key) end
  return redis.call('ZRANGE', key, 0, -1)
end

for _, place in ipairs(places) do
  for _, id in ipairs(members(place[1], place[2])) do
    local actor = redis.call('HGET', job_key(id), 'actor')
    if actor then active[actor] = (active[actor] or 0) + 1 end
  end
end

local function judge(actor)
  local key = total_key(actor)
  local totals, missing = {}, -(active[actor] or 0)
  local listed = redis.call('HGETALL', key)
  for i = 1, #listed, 2 do totals[listed[i]] = tonumber(listed[i + 1]) end
  missing = missing + (totals.enqueued or 0) + (totals.replayed or 0) - (totals.lost or 0)
  for state, kind in pairs(KIND) do
    if kind == 'ended' then missing = missing - (totals[state] or 0) end
  end
  if missing > 0 then
    finding(actor, 'too_few_ends', function() redis.call('HINCRBY', key, 'lost', missing) end, tostring(missing))
  elseif missing < 0 then
    finding(actor, 'too_many_ends', function() redis.call('HINCRBY', key, 'enqueued', -missing) end, tostring(-missing))
  end
end

examine_each(4, 1, function(actor)
  judge(actor)
  active[actor] = nil
end)
for actor in pairs(active) do judge(actor) end
return {rows, 0}
