-- add_key: create an API key.
-- Guarantee: of the secret only its hash is kept; repeated with the same id it changes nothing.
-- Keys: api_key api_keys
-- Uses: keys clock
-- ARGV: 1 now  2 id  3 hash of the secret  4 expires (see instant(), '' = never)  5 name  6 scopes  7 actors (JSON, '' = all)
--   8 most keys  9 quota ('' = none)
-- Returns: added | full
local now, id = clock(ARGV[1]), ARGV[2]
if redis.call('EXISTS', api_key_key(id)) == 1 then return 'added' end
if redis.call('ZCARD', API_KEYS) >= tonumber(ARGV[8]) then return 'full' end
redis.call('HSET', api_key_key(id), 'hash', ARGV[3], 'name', ARGV[5], 'scopes', ARGV[6], 'actors', ARGV[7], 'created_at', now,
  'expires_at', instant(ARGV[4], now) or '', 'quota', ARGV[9])
redis.call('ZADD', API_KEYS, now, id)
return 'added'
