-- examine_tags: judge whether jobs stand under their tags, and under no others.
-- Guarantee: what is written beside a job (tags:<id>) decides; a job that is gone stands under none.
-- Keys: job tags tag sessions
-- Uses: keys examine
-- ARGV: 1 now (of no use here)  2 repair (1|0)  3 tag under which the ids stand ('' = look for ids under their tags)
--   4.. ids
-- Returns: {findings}, each {id, word, 1 when mended, the tag}
local under = ARGV[3]

examine_each(4, 1, function(id)
  local tags = redis.call('GET', tags_key(id)) or ''
  if under ~= '' then
    local named = (' ' .. tags .. ' '):find(' ' .. under .. ' ', 1, true)
    if named or not redis.call('ZSCORE', tag_key(under), id) then return end
    return finding(id, 'wrong_tag', function() redis.call('ZREM', tag_key(under), id) end, under)
  end
  local created_at = redis.call('HGET', job_key(id), 'created_at')
  for tag in tags:gmatch('%S+') do
    if created_at and not redis.call('ZSCORE', tag_key(tag), id) then
      finding(id, 'untagged', function() redis.call('ZADD', tag_key(tag), created_at, id) end, tag)
    end
  end
end)
return {rows}
