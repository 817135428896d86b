-- Tags. tags:<id> lists those of a job, parted by spaces; tag:<tag> holds the jobs that have it. Neither is there for a
-- job without tags, which costs it nothing.
local function tag_job(id, tags, at)
  redis.pcall('SET', tags_key(id), tags)
  for tag in tags:gmatch('%S+') do redis.pcall('ZADD', tag_key(tag), at, id) end -- a damaged index is for the doctor
end

local function untag_job(id)
  local tags = redis.pcall('GET', tags_key(id))
  if type(tags) ~= 'string' then return end
  for tag in tags:gmatch('%S+') do redis.pcall('ZREM', tag_key(tag), id) end
  redis.call('DEL', tags_key(id))
end
