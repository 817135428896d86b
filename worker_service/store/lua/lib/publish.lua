-- What is told while somebody watches: a word about one job, and what kind of thing changed. While nobody does, it costs
-- one look per run.
local watched, told = nil, {}

local function is_watched()
  if watched == nil then watched = redis.call('EXISTS', WATCH) == 1 end
  return watched
end

-- topic: jobs, queues, workers or schedules; told once per run, for whoever hears it reads after the run.
local function publish_change(topic)
  if told[topic] or not is_watched() then return end
  told[topic] = true
  redis.call('PUBLISH', CHANGED, topic)
end

-- word: the new state of a job, or what else is new about it: progress, log, replaced, removed.
local function publish(id, word)
  if not is_watched() then return end
  redis.call('PUBLISH', event_channel(id), word)
  publish_change('jobs')
end
