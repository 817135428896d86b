-- examine_queues: judge queues by whether the registry knows those with jobs, and whether pauses can be read.
-- Guarantee: a queue that is registered by a repair is also marked, so that a worker looks; one that is paused stays so.
-- Keys: queues q due wake paused sessions
-- Uses: keys clock place examine
-- ARGV: 1 now  2 repair (1|0)  3.. queues
-- Returns: {findings}, each {queue, word, 1 when mended}
local now = clock(ARGV[1])

local function judge_registry(queue)
  local waiting = redis.call('ZCARD', ready_key(queue)) + redis.call('ZCARD', due_key(queue))
  if waiting == 0 or redis.call('HEXISTS', QUEUES, queue) == 1 then return end
  finding(queue, 'unregistered', function()
    redis.call('HSET', QUEUES, queue, now)
    wake(queue)
  end)
end

local function judge_pause(queue)
  local words = redis.call('HGET', PAUSED, queue)
  if not words or words:match('^%d* {.*"reason":.*"paused_at_ms":%d+.*}$') then return end
  finding(queue, 'unreadable_pause', function()
    redis.call('HSET', PAUSED, queue, ' {"reason":"its reason was lost","paused_at_ms":' .. now .. '}')
  end)
end

examine_each(3, 1, function(queue)
  judge_pause(queue)
  judge_registry(queue)
end)
return {rows}
