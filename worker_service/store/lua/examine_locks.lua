-- examine_locks: judge locks of unique work by what their owners and followers say.
-- Guarantee: released is only a lock whose owner is gone or has ended, and what follows it takes its place; an owner that
--   forgot its lock is told again. One of a window outlives its owner, and is left.
-- Keys: unique job sessions due wake
-- Uses: keys clock place unique examine
-- ARGV: 1 now  2 repair (1|0)  3.. digests
-- Returns: {findings}, each {digest, word, 1 when mended, the owner or the follower}
local now = clock(ARGV[1])

local function owns(id, digest)
  local job = redis.call('HMGET', job_key(id), 'unique', 'state', 'until')
  local is_active = job[2] and KIND[job[2]] and KIND[job[2]] ~= 'ended'
  return job[1] == digest and (is_active or (job[2] == 'dead' and job[3] == 'success'))
end

examine_each(3, 1, function(digest)
  local lock = redis.call('HMGET', unique_key(digest), 'owner', 'next', 'window')
  if redis.call('EXISTS', unique_key(digest)) == 0 then return end
  local held = lock[3] or (lock[1] and redis.call('HGET', job_key(lock[1]), 'holds') == digest)
  if lock[2] and redis.call('HGET', job_key(lock[2]), 'wait_reason') ~= 'unique' then
    finding(digest, 'no_follower', function() redis.call('HDEL', unique_key(digest), 'next') end, lock[2])
  end
  if not held and lock[1] and owns(lock[1], digest) then
    finding(digest, 'forgotten_lock', function() redis.call('HSET', job_key(lock[1]), 'holds', digest) end, lock[1])
  elseif not held then
    finding(digest, 'lock_without_owner', function() pass_on(digest, now) end, lock[1] or '')
  end
end)
return {rows}
