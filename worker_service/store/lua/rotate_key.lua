-- rotate_key: give an API key another secret.
-- Guarantee: the secret before it is taken until the overlap ends, all earlier ones no more; repeated with the same hash it
--   changes nothing.
-- Keys: api_key
-- Uses: keys clock
-- ARGV: 1 now  2 id  3 hash of the new secret  4 overlap (ms)
-- Returns: rotated | unknown
local now, id, hash = clock(ARGV[1]), ARGV[2], ARGV[3]
local before = redis.call('HGET', api_key_key(id), 'hash')
if not before then return 'unknown' end
if before == hash then return 'rotated' end
redis.call('HSET', api_key_key(id), 'hash', hash, 'old_hash', before, 'old_until', now + tonumber(ARGV[4]), 'rotated_at', now)
return 'rotated'
