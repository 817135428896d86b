-- examine_belongings: judge what belongs to a job by whether there is a job.
-- Guarantee: removed is only what no record and no message stands for.
-- Keys: job msg out attempts log step tags sessions tag hook
-- Uses: keys tags examine
-- ARGV: 1 now (of no use here)  2 repair (1|0)  3 family (out|attempts|log|step|tags|hook)  4.. ids
-- Returns: {findings}, each {id, word, 1 when mended, the family}
local family = ARGV[3]
local key_of = ({out = out_key, attempts = attempts_key, log = log_key, step = step_key,
  tags = tags_key, hook = hook_key})[family]

examine_each(4, 1, function(id)
  if redis.call('EXISTS', job_key(id), msg_key(id)) > 0 or redis.call('EXISTS', key_of(id)) == 0 then return end
  finding(id, 'leak', function()
    if family == 'tags' then untag_job(id) else redis.call('DEL', key_of(id)) end
  end, family)
end)
return {rows}
