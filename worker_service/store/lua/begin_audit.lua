-- begin_audit: enter what somebody is about to do.
-- Guarantee: it stands in the log before it is done; the newest entries are kept, each with its end. Passes when the server
--   is out of memory. A call that is repeated after a lost reply may enter it twice.
-- Keys: audit audit_ends api_keys
-- Uses: keys
-- ARGV: 1 most entries  2.. fields and values
-- Returns: the id of the entry
local OLD_AT_ONCE = 10
redis.call('ZREM', API_KEYS, '') -- frees, so that the rest passes when the server is out of memory
local over = redis.call('XLEN', AUDIT) + 1 - tonumber(ARGV[1])
if over > 0 then
  for _, old in ipairs(redis.call('XRANGE', AUDIT, '-', '+', 'COUNT', math.min(over, OLD_AT_ONCE))) do
    redis.call('HDEL', AUDIT_ENDS, old[1])
    redis.call('XDEL', AUDIT, old[1])
  end
end
return redis.call('XADD', AUDIT, '*', unpack(ARGV, 2))
