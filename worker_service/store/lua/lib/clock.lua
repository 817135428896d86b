-- The server's clock in UTC ms; a test may give the instant instead.
local function clock(given)
  if given ~= '' then return tonumber(given) end
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end

-- An instant from an argument: '' is none, '+500' is 500 ms from now, '1700000000000' is absolute.
local function instant(text, now)
  if text == '' then return nil end
  if text:sub(1, 1) == '+' then return now + tonumber(text:sub(2)) end
  return tonumber(text)
end
