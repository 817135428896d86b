-- is_claimable: whether a claim from these queues, now, would find a job: ready or due, and the queue not paused.
-- Guarantee: nothing is changed.
-- Keys: paused q due
-- Uses: keys clock
-- ARGV: 1 now  2.. queues
-- Returns: claimable | nothing
local now = clock(ARGV[1])

-- By what pause has written: until when, or for as long as nobody resumes it, and why.
local function is_paused(queue)
  local words = redis.call('HGET', PAUSED, queue)
  local till = words and words:match('^(%d*) ')
  return till and (till == '' or tonumber(till) > now)
end

for i = 2, #ARGV do
  local queue = ARGV[i]
  local waits = redis.call('ZCARD', ready_key(queue)) > 0 or redis.call('ZCOUNT', due_key(queue), '-inf', now) > 0
  if waits and not is_paused(queue) then return 'claimable' end
end
return 'nothing'
