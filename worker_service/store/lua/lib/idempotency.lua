-- What a request asked for under a key, so that the same request gets the same job again, and another one is told so.
local function remembered(name, fingerprint, id)
  if name == '' then return nil end
  local record = redis.call('HMGET', idem_key(name), 'id', 'fingerprint', 'actor', 'queue', 'created_at')
  if not record[1] or record[1] == id then return nil end
  if record[2] ~= fingerprint then return 'conflict', {0} end
  local state = redis.call('HGET', job_key(record[1]), 'state') or 'pruned'
  return 'replayed', {tonumber(record[5]), record[1], record[3], record[4], state}
end

local function remember(name, fingerprint, keep_ms, id, actor, queue, created_at)
  if name == '' then return end
  redis.call('HSET', idem_key(name), 'id', id, 'fingerprint', fingerprint, 'actor', actor, 'queue', queue,
    'created_at', created_at)
  redis.call('PEXPIRE', idem_key(name), keep_ms)
end
