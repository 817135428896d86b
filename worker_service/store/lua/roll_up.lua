-- roll_up: sum counters up: of an actor over a span of time, or of many actors.
-- Guarantee: the sum is made anew each time, so it is safe to repeat, and to do at once with another process.
-- Keys: sessions m t h
-- Uses: keys
-- ARGV: 1 now (of no use here)  2 span (minute|ten|hour)  3 number of the span since 1970  4 lives_ms (of the sum)
--   5 actor, whose shorter spans are summed up; or '' for that of  6.. actors
-- Returns: how many counters there are in the sum
local span, number, actor = ARGV[2], tonumber(ARGV[3]), ARGV[5]
local sums, fields = {}, {}

local function key_of(who)
  if span == 'minute' then return minute_key(who, number) end
  if span == 'ten' then return ten_key(who, number) end
  return hour_key(who, number)
end

local function take(key)
  local found = redis.pcall('HGETALL', key)
  for i = 1, #found, 2 do -- none, when it has another type: the doctor's
    local value = tonumber(found[i + 1])
    if value then sums[found[i]] = (sums[found[i]] or 0) + value end
  end
end

if actor == '' then
  for i = 6, #ARGV do take(key_of(ARGV[i])) end
elseif span == 'ten' then
  for minute = number * 10, number * 10 + 9 do take(minute_key(actor, minute)) end
else
  for ten = number * 6, number * 6 + 5 do take(ten_key(actor, ten)) end
end
for field, sum in pairs(sums) do
  fields[#fields + 1] = field
  fields[#fields + 1] = string.format('%.0f', sum)
end
if #fields == 0 then return 0 end
redis.call('ZREM', SESSIONS, '') -- frees, so that the rest passes when the server is out of memory
redis.call('DEL', key_of(actor))
redis.call('HSET', key_of(actor), unpack(fields))
redis.call('PEXPIRE', key_of(actor), ARGV[4])
return #fields / 2
