-- examine_types: judge whether keys of the namespace have the type that they should have.
-- Guarantee: a key of another type, which nobody of ours made, is moved aside by a repair and not deleted before
--   30 days; what it has taken the place of can then be made anew.
-- Keys: sessions aside arrivals
-- Uses: keys clock examine
-- ARGV: 1 now  2 repair (1|0)  3.. two values per key: its name without the prefix, its type
-- Returns: {findings}, each {name, word, 1 when mended, the type it has}
local now = clock(ARGV[1])
local KEEP_MS = 30 * 24 * 3600 * 1000

local function set_aside(name)
  redis.call('RENAME', P .. name, aside_key(name))
  redis.call('PEXPIRE', aside_key(name), KEEP_MS)
  if P .. name == ARRIVALS then redis.call('SET', ARRIVALS, now) end -- above all that were counted
end

examine_each(3, 2, function(name, i)
  local kind = redis.call('TYPE', P .. name).ok
  if kind ~= 'none' and kind ~= ARGV[i + 1] then
    finding(name, 'other_type', function() set_aside(name) end, kind)
  end
end)
return {rows}
