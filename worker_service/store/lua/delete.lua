-- delete: a person removes finished jobs before their retention does.
-- Guarantee: only jobs in a final state go, each with all that belongs to it; damaged ones too. Repeated, it answers
--   'unknown' for those that are gone.
-- Keys: sessions job msg out attempts log jobs final due step unique wake tag tags watch ev changed hook
-- Uses: keys publish clock place unique tags remove
-- ARGV: 1 now  2 until (UTC ms: leave alone what ended later; '' = whenever)  3.. ids
-- Returns: one word per job: deleted | active | later | unknown
local now, till = clock(ARGV[1]), tonumber(ARGV[2]) or math.huge
local FINAL = {succeeded = true, dead = true, cancelled = true, expired = true}
redis.call('ZREM', SESSIONS, '') -- frees, so that the rest passes when the server is out of memory

-- A job that was buried may have a record without a state, or of another type; then an index knows the state.
local function state_of(id)
  local state = redis.pcall('HGET', job_key(id), 'state')
  if type(state) == 'string' then return state end
  for final in pairs(FINAL) do
    if redis.call('ZSCORE', final_key(final), id) then return final end
  end
end

local function delete(id)
  local state = state_of(id)
  if not state then return 'unknown' end
  if not FINAL[state] then return 'active' end
  if tonumber(redis.call('ZSCORE', final_key(state), id) or 0) > till then return 'later' end
  remove_job(id, state, now)
  return 'deleted'
end

local words = {}
for k = 3, #ARGV do words[k - 2] = delete(ARGV[k]) end
return words
