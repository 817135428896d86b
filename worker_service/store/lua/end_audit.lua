-- end_audit: note what became of an entry of the audit log.
-- Guarantee: only an entry that is still there gets an end, and its first one stays. Repeatable, and passes when the server
--   is out of memory.
-- Keys: audit audit_ends api_keys
-- Uses: keys
-- ARGV: 1 id of the entry  2 its end
-- Returns: ended | gone
local id = ARGV[1]
redis.call('ZREM', API_KEYS, '') -- frees, so that the rest passes when the server is out of memory
if #redis.call('XRANGE', AUDIT, id, id) == 0 then return 'gone' end
redis.call('HSETNX', AUDIT_ENDS, id, ARGV[2])
return 'ended'
