-- Final states, and what the end of one job means for its group.
-- A group holds its size, the members that joined by completing, and its callbacks, written out as jobs by whoever
-- submitted it. A job belongs to a group if it counts in it (a member) or if a member follows it in a pipeline.
local CREATE_WIDTH = 16

-- The part that all new jobs share; values[i] is the first of the sixteen of lib/create.lua.
local function write_new(values, i, state, now)
  local id, queue, actor = values[i], values[i + 1], values[i + 2]
  redis.call('HSET', job_key(id), 'v', 1, 'state', state, 'queue', queue, 'actor', actor, 'priority', values[i + 3],
    'created_at', now, 'max_attempts', values[i + 6], 'max_crashes', values[i + 7])
  if values[i + 8] ~= '' then redis.call('HSET', job_key(id), 'parent', values[i + 8]) end
  local digest, term, fixed = values[i + 13]:match('^(%S+) (%S+) %S+ %S+ (%S+)$')
  if digest then redis.call('HSET', job_key(id), 'unique', digest, 'until', term) end
  if fixed == '1' then redis.call('HSET', job_key(id), 'fixed', 1) end
  redis.call('SET', msg_key(id), values[i + 14])
  if values[i + 15] ~= '' then tag_job(id, values[i + 15], now) end
  redis.call('ZADD', JOBS, now, id)
  redis.call('HSETNX', QUEUES, queue, now)
  count(actor, 'enqueued', 1)
  if state ~= 'dead' then publish(id, state) end -- else enter_final does
end

local enter_final -- calls itself through the callbacks of a group that failed

local function create_dead(values, i, reason, now)
  local id = values[i]
  if redis.call('EXISTS', job_key(id)) == 1 then return end
  write_new(values, i, 'dead', now)
  redis.call('HSET', job_key(id), 'reason', reason, 'finished_at', now)
  count(values[i + 2], 'dead', 1)
  enter_final(id, 'dead', now)
end

-- Values written one behind the other, each as its length, a colon and itself.
local function read_values(text)
  local values, at = {}, 1
  while at <= #text do
    local colon = text:find(':', at, true)
    local length = tonumber(text:sub(at, colon - 1))
    values[#values + 1] = text:sub(colon + 1, colon + length)
    at = colon + length + 1
  end
  return values
end

local function callbacks_of(group)
  return read_values(redis.call('HGET', group_key(group), 'callbacks') or '')
end

-- The callbacks of a group with a job that will not complete are created dead, for a person to see and replay.
local function fail_group(id, now)
  local group = redis.call('HGET', job_key(id), 'group')
  if not group or redis.call('HEXISTS', group_key(group), 'size') == 0 then return end
  if redis.call('HSETNX', group_key(group), 'failed', id) == 0 then return end
  local values = callbacks_of(group)
  for i = 1, #values, CREATE_WIDTH do create_dead(values, i, 'group_failed', now) end
end

function enter_final(id, state, now)
  redis.call('ZADD', final_key(state), now, id)
  publish(id, state)
  pcall(release_at_end, id, state, now) -- a damaged lock must not keep a job from its end
  if state ~= 'succeeded' then pcall(fail_group, id, now) end -- nor a damaged group
end
