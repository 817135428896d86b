-- The ledger of what a job does once: step -> 'begun <at> <by>' or 'done <at> <by> <result>', where <by> is the token
-- of a delivery, or 'person'. Of a step without an entry it is known that it did not happen.
local function read_step(id, step)
  local entry = redis.call('HGET', step_key(id), step)
  if not entry then return nil end
  local state, by, result = entry:match('^(%l+) %d+ (%S+) ?(.*)$')
  if not state then state = 'begun' end -- damaged: it was begun at least
  return state, by, result
end

local function write_step(id, step, state, now, by, result)
  redis.call('HSET', step_key(id), step, table.concat({state, now, by, result}, ' '))
end

local function write_outcome(id, step, outcome, now, by, result)
  if outcome == 'not_done' then
    redis.call('HDEL', step_key(id), step)
  else
    write_step(id, step, 'done', now, by, result)
  end
end
