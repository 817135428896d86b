-- examine_holders: judge jobs that say they hold a lock, or follow its owner, by whether the lock says so too.
-- Guarantee: nobody's lock is taken from him: a job gets its lock back when it is free, else it no longer claims it.
--   One that nobody would wake follows again, or may be claimed.
-- Keys: job unique sessions due wake
-- Uses: keys clock place unique examine
-- ARGV: 1 now  2 repair (1|0)  3.. ids
-- Returns: {findings}, each {id, word, 1 when mended, the digest}
local now = clock(ARGV[1])

local function take_or_leave(id, digest, owner)
  if owner then return redis.call('HDEL', job_key(id), 'holds') end
  redis.call('HSET', unique_key(digest), 'owner', id)
end

local function follow_or_go(id, digest, lock)
  if lock[1] and not lock[2] then return redis.call('HSET', unique_key(digest), 'next', id) end
  redis.call('HSET', job_key(id), 'wait_reason', 'asked', 'due_at', now)
  push_due(redis.call('HGET', job_key(id), 'queue'), id, now)
  if not lock[1] then take_lock(id, digest, redis.call('HGET', job_key(id), 'until'), now) end
end

examine_each(3, 1, function(id)
  local job = redis.call('HMGET', job_key(id), 'holds', 'wait_reason', 'unique')
  local digest = job[1] or (job[2] == 'unique' and job[3])
  if not digest then return end
  local lock = redis.call('HMGET', unique_key(digest), 'owner', 'next')
  if job[1] and lock[1] ~= id then
    finding(id, 'holder_without_lock', function() take_or_leave(id, digest, lock[1]) end, digest)
  elseif not job[1] and lock[2] ~= id then
    finding(id, 'follower_without_lock', function() follow_or_go(id, digest, lock) end, digest)
  end
end)
return {rows}
