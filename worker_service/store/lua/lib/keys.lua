-- Names of keys, the mirror of store/keys.py (a test holds the two together).
-- KEYS[1] is the namespace prefix '{ns}:' of every script, so that all names share one hash tag.
local P = KEYS[1]
local JOBS, QUEUES, SESSIONS, ARRIVALS = P .. 'jobs', P .. 'queues', P .. 'sessions', P .. 'arrivals'
local META, WATCH, PAUSED, LIMITS = P .. 'meta', P .. 'watch', P .. 'paused', P .. 'limits'
local DELIVERIES, COUNTED = P .. 'deliveries', P .. 'counted'
local DEADLINES = P .. 'deadlines'
local SCHEDULES, SCHEDULERS, LEADER = P .. 'schedules', P .. 'schedulers', P .. 'leader'
local API_KEYS = P .. 'api_keys'
local AUDIT, AUDIT_ENDS, REFUSALS = P .. 'audit', P .. 'audit_ends', P .. 'refusals'
local function job_key(id) return P .. 'job:' .. id end
local function msg_key(id) return P .. 'msg:' .. id end
local function out_key(id) return P .. 'out:' .. id end
local function attempts_key(id) return P .. 'attempts:' .. id end
local function log_key(id) return P .. 'log:' .. id end
local function step_key(id) return P .. 'step:' .. id end
local function tags_key(id) return P .. 'tags:' .. id end
local function tag_key(tag) return P .. 'tag:' .. tag end
local function hook_key(id) return P .. 'hook:' .. id end
local function final_key(state) return P .. 'final:' .. state end
local function ready_key(queue) return P .. 'q:' .. queue end
local function due_key(queue) return P .. 'due:' .. queue end
local function wake_key(queue) return P .. 'wake:' .. queue end
local function bell_key(session) return P .. 'bell:' .. session end
local function session_key(session) return P .. 'session:' .. session end
local function running_key(session) return P .. 'running:' .. session end
local function claim_key(session) return P .. 'claim:' .. session end
local function group_key(id) return P .. 'group:' .. id end
local function schedule_key(name) return P .. 'schedule:' .. name end
local function ticks_key(name) return P .. 'ticks:' .. name end
local function api_key_key(id) return P .. 'api_key:' .. id end
local function login_key(digest) return P .. 'login:' .. digest end
local function login_code_key(digest) return P .. 'login_code:' .. digest end
local function asked_key(name) return P .. 'asked:' .. name end
local function idem_key(name) return P .. 'idem:' .. name end
local function unique_key(digest) return P .. 'unique:' .. digest end
local function total_key(actor) return P .. 'total:' .. actor end
local function minute_key(actor, minute) return P .. 'm:' .. actor .. ':' .. minute end
local function ten_key(actor, ten) return P .. 't:' .. actor .. ':' .. ten end
local function hour_key(actor, hour) return P .. 'h:' .. actor .. ':' .. hour end
local function quota_key(who) return P .. 'quota:' .. who end
local function aside_key(name) return P .. 'aside:' .. name end
local function event_channel(id) return P .. 'ev:' .. id end
local CHANGED = P .. 'changed'
