-- Final states, and what the end of one job means for its group and its webhook.
-- A group holds its size, the members that joined by completing, and its callbacks, written out as jobs by whoever
-- submitted it. A job belongs to a group if it counts in it (a member) or if a member follows it in a pipeline.
local CREATE_WIDTH = 17

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

-- Whom a job tells of its end: the events, and the values of a new job that tells of one of them.
local function write_hook(id, hook)
  local values = read_values(hook)
  redis.call('HSET', hook_key(id), 'events', values[1], 'job', values[2])
end

-- The part that all new jobs share; values[i] is the first of the seventeen of lib/create.lua.
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
  if values[i + 16] ~= '' then write_hook(id, values[i + 16]) end
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

-- A name for each end of a job: UUID version 5 of its id and the number of the end.
local DELIVERIES_OF_JOBS = '\111\26\245\192\93\58\77\30\148\107\217\161\70\226\11\132'

local function delivery_of(id, number)
  local digest = redis.sha1hex(DELIVERIES_OF_JOBS .. id .. '/' .. number)
  local variant = ('%x'):format(8 + tonumber(digest:sub(17, 17), 16) % 4)
  return table.concat({digest:sub(1, 8), digest:sub(9, 12), '5' .. digest:sub(14, 16),
    variant .. digest:sub(18, 20), digest:sub(21, 32)}, '-')
end

local LISTED_DELIVERIES = 10000

-- The job that tells whoever asked for it of this end. Its message stands there as far as it is the same for each end.
local function tell_end(id, state, now)
  local events = redis.call('HGET', hook_key(id), 'events')
  if not events or not (' ' .. events .. ' '):find(' ' .. state .. ' ', 1, true) then return end
  local values = read_values(redis.call('HGET', hook_key(id), 'job'))
  assert(#values >= 15, 'damaged webhook')
  for n = #values + 1, CREATE_WIDTH do values[n] = '' end -- written by an older version
  local delivery = delivery_of(id, redis.call('HINCRBY', hook_key(id), 'ends', 1))
  values[1], values[9] = delivery, id
  local options = values[15]:find('"options":', 1, true) and '' or '"options":{},' -- an older version wrote none
  values[15] = values[15] .. '"event":"' .. state .. '","ended_at":' .. now .. '},' .. options .. '"message_timestamp":' .. now .. '}'
  write_new(values, 1, 'queued', now)
  push_ready(values[2], delivery, new_place(values[4]))
  redis.call('ZADD', DELIVERIES, now, delivery)
  redis.call('ZREMRANGEBYRANK', DELIVERIES, 0, -LISTED_DELIVERIES - 1)
end

function enter_final(id, state, now)
  redis.call('ZADD', final_key(state), now, id)
  if state ~= 'succeeded' then redis.call('ZREM', DEADLINES, id) end -- that one was started
  publish(id, state)
  pcall(release_at_end, id, state, now) -- a damaged lock must not keep a job from its end
  pcall(tell_end, id, state, now) -- nor a damaged webhook
  if state ~= 'succeeded' then pcall(fail_group, id, now) end -- nor a damaged group
end
