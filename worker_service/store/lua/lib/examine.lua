-- What every examination shares: what it found, and that a subject which cannot be judged hides no other.
local REPAIR = ARGV[2] == '1' -- the second argument of each
local rows = {}

-- Where a job stands, by its state.
local KIND = {queued = 'ready', scheduled = 'due', retrying = 'due', running = 'held',
  succeeded = 'ended', dead = 'ended', cancelled = 'ended', expired = 'ended'}

-- One finding; a repair mends it at once, before anything can move.
local function finding(subject, word, mend, detail)
  if REPAIR then mend() end
  rows[#rows + 1] = {subject, word, REPAIR and 1 or 0, detail or ''}
end

-- Frees, so that the rest passes when the server is out of memory; 'p', because the key may be of another type.
local function free_first()
  if REPAIR then redis.pcall('ZREM', SESSIONS, '') end
end

local function examine_each(first, width, judge)
  free_first()
  for i = first, #ARGV, width do
    local judged, why = pcall(judge, ARGV[i], i)
    if not judged then rows[#rows + 1] = {ARGV[i], 'hindered', 0, type(why) == 'table' and why.err or why} end
  end
end

-- Whether the server can add to a value (no leading zeros, within 64 bits) and Lua holds it exactly (within 53).
local function is_number(value)
  return value == '0' or (value:match('^[1-9]%d*$') and tonumber(value) < 2 ^ 53)
end

-- The final state in whose set an id stands, or nil.
local function ended_as(id)
  for state, kind in pairs(KIND) do
    if kind == 'ended' and redis.call('ZSCORE', final_key(state), id) then return state end
  end
end
