-- What every end of a job or of a delivery shares.
local KEPT_DELIVERIES = 25

-- A write that nothing may stop: a key of another type, which nobody of ours made, gives way.
local function write_over(command, key, ...)
  local reply = redis.pcall(command, key, ...)
  if type(reply) == 'table' and reply.err then
    redis.call('DEL', key)
    redis.call(command, key, ...)
  end
end

local function write_out(id, field, json)
  write_over('HSET', out_key(id), field, json)
end

-- One line per ended delivery; its error is JSON made by the worker, in which no tab can stand.
local function log_delivery(id, number, started_at, now, session, outcome, charged, err)
  local key = attempts_key(id)
  local line = {number or 0, started_at or now, now, session, outcome, charged, err}
  write_over('LPUSH', key, table.concat(line, '\t'))
  redis.call('LTRIM', key, 0, KEPT_DELIVERIES - 1)
end
