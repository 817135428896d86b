-- revoke_key: remove an API key; what was signed in with it is signed out.
-- Guarantee: the key is found no more. Repeatable, and passes when the server is out of memory.
-- Keys: api_key api_keys
-- Uses: keys
-- ARGV: 1 id
-- Returns: revoked | unknown
local id = ARGV[1]
redis.call('ZREM', API_KEYS, id)
if redis.call('DEL', api_key_key(id)) == 0 then return 'unknown' end
return 'revoked'
