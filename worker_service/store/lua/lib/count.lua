-- Counters per actor: totals that never decrease, and a bucket per minute that lives for some hours (store/rates.py).
-- Collected while the script runs and written once, so that a batch costs as many writes as one job.
local counted = {}
local BUCKET_MS = 6 * 3600 * 1000
local BOUNDS = {5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000, 30000, 60000, 300000, 600000}

local function count(actor, field, by)
  if not actor then return end -- a damaged record
  local fields = counted[actor]
  if not fields then
    fields = {}
    counted[actor] = fields
  end
  fields[field] = (fields[field] or 0) + by
end

-- Histogram of a duration in ms: its sum, and the smallest bound that holds it.
local function count_duration(actor, name, ms)
  if ms < 0 then ms = 0 end
  count(actor, name .. '_ms', ms)
  for _, bound in ipairs(BOUNDS) do
    if ms <= bound then return count(actor, name .. '_le_' .. bound, 1) end
  end
  count(actor, name .. '_le_inf', 1)
end

-- Counting comes after everything else is written, so no counter makes a script fail. What cannot be added to (no
-- number, or one at the end of 64 bits) begins anew; a key of another type is left to the doctor.
local function add(key, field, by)
  local sum = redis.pcall('HINCRBY', key, field, by)
  if type(sum) == 'number' then return sum end
  local kind = redis.call('TYPE', key).ok
  if kind ~= 'hash' and kind ~= 'none' then return end
  redis.call('HSET', key, field, by) -- a full server refuses it, which it does only while nothing is written
  return by
end

local function write_counts(now)
  local minute = math.floor(now / 60000)
  for actor, fields in pairs(counted) do
    local total, bucket = total_key(actor), minute_key(actor, minute)
    for field, by in pairs(fields) do
      add(total, field, by)
      if add(bucket, field, by) == by then
        redis.call('PEXPIRE', bucket, BUCKET_MS)
        redis.pcall('ZADD', COUNTED, 'GT', minute, actor)
      end
    end
  end
end
