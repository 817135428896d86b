-- open_login: a browser is signed in.
-- Guarantee: a code signs in once; of cookie and code only hashes are kept. Repeated with the same cookie it changes nothing;
--   passes when the server is out of memory.
-- Keys: login login_code api_keys
-- Uses: keys
-- ARGV: 1 hash of the cookie  2 how long it lasts (ms)  3 id of the key  4 proof of the key  5 hash of the code ('' = without)
-- Returns: opened | no_code
local login, code = login_key(ARGV[1]), ARGV[5]
redis.call('ZREM', API_KEYS, '') -- frees, so that the rest passes when the server is out of memory
if redis.call('EXISTS', login) == 1 then return 'opened' end
if code ~= '' and redis.call('DEL', login_code_key(code)) == 0 then return 'no_code' end
redis.call('HSET', login, 'key', ARGV[3], 'proof', ARGV[4])
redis.call('PEXPIRE', login, ARGV[2])
return 'opened'
