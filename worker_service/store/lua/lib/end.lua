-- What every end of a job or of a delivery shares.
local KEPT_DELIVERIES = 25

local function publish(id, state)
  if redis.call('EXISTS', WATCH) == 1 then redis.call('PUBLISH', event_channel(id), state) end
end

local function enter_final(id, state, now)
  redis.call('ZADD', final_key(state), now, id)
  publish(id, state)
end

-- One line per ended delivery; its error is JSON made by the worker, in which no tab can stand.
local function log_delivery(id, number, started_at, now, session, outcome, charged, err)
  local key = attempts_key(id)
  redis.call('LPUSH', key, table.concat({number, started_at, now, session, outcome, charged, err}, '\t'))
  redis.call('LTRIM', key, 0, KEPT_DELIVERIES - 1)
end
