-- peek: read what decides whether jobs fit a filter, of many jobs at once.
-- Guarantee: nothing is changed; what is of another type is told as nothing.
-- Keys: job msg out tags
-- Uses: keys
-- ARGV: 1 whether error, tags and message are told too (1|0)  2 bytes of each message  3.. ids
-- Returns: {state, queue, actor, created_at, fingerprint, reason, error, tags, message} of each job; nil where there is
--   none, and for all of a job whose record is of another type
local function read(...)
  local found = redis.pcall(...)
  return not (type(found) == 'table' and found.err) and found
end

local rows = {}
for i = 3, #ARGV do
  local id = ARGV[i]
  local row = read('HMGET', job_key(id), 'state', 'queue', 'actor', 'created_at', 'fingerprint', 'reason')
  if row and ARGV[1] == '1' then
    row[7], row[8] = read('HGET', out_key(id), 'error'), read('GET', tags_key(id))
    row[9] = read('GETRANGE', msg_key(id), 0, ARGV[2] - 1)
  end
  rows[#rows + 1] = row
end
return rows
