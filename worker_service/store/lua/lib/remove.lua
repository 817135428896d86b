-- All that belongs to a job in a final state goes with it.
local function remove_job(id, state, now)
  pcall(release_at_last, id, now) -- a damaged lock must not keep a job from going
  redis.call('DEL', job_key(id), msg_key(id), out_key(id), attempts_key(id), log_key(id), step_key(id),
    hook_key(id))
  untag_job(id)
  redis.call('ZREM', JOBS, id)
  redis.call('ZREM', final_key(state), id)
  publish(id, 'removed')
end
