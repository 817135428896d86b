-- How a group counts what completes, and what follows when it has all; `last` is the job that completed it, if known.
local function complete_group(group, last, now)
  local values = callbacks_of(group)
  for i = 1, #values, CREATE_WIDTH do create_follow_up(values, i, last, now) end
  redis.call('DEL', group_key(group))
end

-- A group counts distinct members, so that one that is delivered again is not counted twice.
local function join_group(group, id, now)
  local key = group_key(group)
  local size = redis.call('HGET', key, 'size')
  if not size or redis.call('HSETNX', key, 'member:' .. id, 1) == 0 then return end
  if redis.call('HINCRBY', key, 'joined', 1) >= tonumber(size) then complete_group(group, id, now) end
end
