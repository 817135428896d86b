-- prune: remove finished jobs past their retention.
-- Guarantee: only jobs in a final state go, the oldest first, each with all that belongs to it.
-- Keys: sessions job msg out attempts log jobs final due step unique wake tag tags watch ev changed hook
-- Uses: keys publish clock place unique tags remove
-- ARGV: 1 now  2 limit (jobs in one call)  3.. per final state: state, keep_ms, keep_count
-- Returns: {number removed, 1 when more remain}
local now, limit = clock(ARGV[1]), tonumber(ARGV[2])
redis.call('ZREM', SESSIONS, '') -- frees, so that the rest passes when the server is out of memory
local removed = 0

local function remove(state, ids)
  for _, id in ipairs(ids) do remove_job(id, state, now) end
  removed = removed + #ids
end

for i = 3, #ARGV, 3 do
  local state, keep_ms, keep_count = ARGV[i], tonumber(ARGV[i + 1]), tonumber(ARGV[i + 2])
  if removed < limit then
    remove(state, redis.call('ZRANGEBYSCORE', final_key(state), '-inf', now - keep_ms, 'LIMIT', 0, limit - removed))
  end
  local surplus = math.min(redis.call('ZCARD', final_key(state)) - keep_count, limit - removed)
  if surplus > 0 then remove(state, redis.call('ZRANGE', final_key(state), 0, surplus - 1)) end
end
return {removed, removed >= limit and 1 or 0}
