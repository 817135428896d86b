-- use_key: read the record of an API key somebody shows, and note when it was used last.
-- Guarantee: the use is noted for one of its secrets only, at most once in a while; a server that takes no writes still
--   answers. Whether the secret is right the caller decides.
-- Keys: api_key api_keys
-- Uses: keys clock
-- ARGV: 1 now  2 id  3 hash of the secret  4 how long after a use the next one is noted (ms)
-- Returns: {now, the record as a flat list of fields and values}
local now, id, hash = clock(ARGV[1]), ARGV[2], ARGV[3]
local found = redis.call('HGETALL', api_key_key(id))
local record = {}
for at = 1, #found, 2 do record[found[at]] = found[at + 1] end
-- Lua compares texts by their place in memory, so this takes the same time for all.
local is_its_own = record.hash == hash or record.old_hash == hash
if is_its_own and now - tonumber(record.used_at or 0) >= tonumber(ARGV[4]) then
  redis.pcall('ZREM', API_KEYS, '') -- frees, so that the rest passes when the server is out of memory
  redis.pcall('HSET', api_key_key(id), 'used_at', now)
end
return {now, found}
