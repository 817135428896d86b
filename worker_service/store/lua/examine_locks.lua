-- examine_locks: judge locks on unique work by whether their owner says that it holds them.
-- Guarantee: released is only a lock that no job holds. One that lasts for a window outlives its owner, and is left.
-- Keys: unique job sessions
-- Uses: keys examine
-- ARGV: 1 now (of no use here)  2 repair (1|0)  3.. digests
-- Returns: {findings}, each {digest, word, 1 when mended, the owner}
examine_each(3, 1, function(digest)
  local lock = redis.call('HMGET', unique_key(digest), 'owner', 'until')
  if lock[2] == 'window' or redis.call('EXISTS', unique_key(digest)) == 0 then return end
  if lock[1] and redis.call('HGET', job_key(lock[1]), 'holds') == digest then return end
  finding(digest, 'lock_without_owner', function() redis.call('DEL', unique_key(digest)) end, lock[1] or '')
end)
return {rows}
