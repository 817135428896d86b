-- examine_holders: judge jobs that say they hold a lock by whether the lock says so too.
-- Guarantee: nobody's lock is taken from him: a job gets its lock back when it is free, else it no longer claims it.
-- Keys: job unique sessions
-- Uses: keys examine
-- ARGV: 1 now (of no use here)  2 repair (1|0)  3.. ids
-- Returns: {findings}, each {id, word, 1 when mended, the digest}
local function take_or_leave(id, digest, till, owner)
  if owner then return redis.call('HDEL', job_key(id), 'holds') end
  redis.call('HSET', unique_key(digest), 'owner', id, 'until', till or '')
end

examine_each(3, 1, function(id)
  local job = redis.call('HMGET', job_key(id), 'holds', 'until')
  local digest = job[1]
  if not digest or job[2] == 'window' then return end
  local owner = redis.call('HGET', unique_key(digest), 'owner')
  if owner == id then return end
  finding(id, 'holder_without_lock', function() take_or_leave(id, digest, job[2], owner) end, digest)
end)
return {rows}
