-- Scheduler processes by their ids: host:pid:random@code-digest, the version of the code and what it declares.
local function code_of(id)
  return tonumber(id:match('@(%d+)%-%x+$') or '') or 0
end

local function declares_of(id)
  return id:match('@(%d+%-%x+)$') or ''
end

-- Whether a scheduler lives that declares this.
local function lives(declares, now)
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', SCHEDULERS, string.format('(%d', now), '+inf')) do
    if declares_of(id) == declares then return true end
  end
  return false
end

-- The newest code of those that live.
local function newest_code(now)
  local newest = 0
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', SCHEDULERS, string.format('(%d', now), '+inf')) do
    newest = math.max(newest, code_of(id))
  end
  return newest
end
