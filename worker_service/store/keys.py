"""Every key of a namespace: name, type, content and lifetime. lua/lib/keys.lua mirrors it; a test compares."""

import re

_NAMESPACE = re.compile(r"[a-z0-9-]{1,32}")


class Keys:
    """Names of the keys of one namespace; all share one hash tag.

    Args:
        namespace: 1 to 32 of ``a-z 0-9 -``.

    Raises:
        ValueError: the namespace has another form.
    """

    def __init__(self, namespace: str) -> None:
        if not _NAMESPACE.fullmatch(namespace):
            raise ValueError(f"namespace {namespace!r}: use 1 to 32 of a-z, 0-9 and '-'")
        self.prefix = f"{{{namespace}}}:"
        self.jobs = self.prefix + "jobs"
        """zset of ids by creation instant; until pruned."""
        self.queues = self.prefix + "queues"
        """hash: queue -> instant of its first job; for ever."""
        self.paused = self.prefix + "paused"
        """hash: paused queue -> until when, and why as JSON; until resumed."""
        self.limits = self.prefix + "limits"
        """hash: queue -> most jobs that may wait in it before further ones from outside are refused; until removed."""
        self.sessions = self.prefix + "sessions"
        """zset of worker processes by end of lease; until closed or rescued."""
        self.deadlines = self.prefix + "deadlines"
        """zset of jobs that have not begun, by the instant after which they expire; until they begin or end."""
        self.arrivals = self.prefix + "arrivals"
        """string: number of places given out so far; for ever."""
        self.meta = self.prefix + "meta"
        """hash: schema version, last rescue, last minute that was summed up; for ever."""
        self.schedules = self.prefix + "schedules"
        """zset of all schedules by their next tick; those that are paused or have none stand at the end (inf)."""
        self.schedulers = self.prefix + "schedulers"
        """zset of scheduler processes by the end of their lease."""
        self.leader = self.prefix + "leader"
        """string: the scheduler process that fires; expires."""
        self.deliveries = self.prefix + "deliveries"
        """zset of the newest 10,000 deliveries of webhooks by creation instant; some may be pruned already."""
        self.counted = self.prefix + "counted"
        """zset of actors by the newest minute in which something of theirs was counted; until that is 35 days ago."""
        self.api_keys = self.prefix + "api_keys"
        """zset of the ids of API keys by creation; until revoked."""
        self.audit = self.prefix + "audit"
        """stream of what people did: entered before it is done; the newest ones."""
        self.audit_ends = self.prefix + "audit_ends"
        """hash: entry of the audit log -> what became of it; as long as the entry."""
        self.refusals = self.prefix + "refusals"
        """stream of what was refused for want of a key, or of a scope; the newest ones."""
        self.watch = self.prefix + "watch"
        """string: present while somebody waits for events; expires."""
        self.changed = self.prefix + "changed"
        """channel: what kind of thing changed (jobs, queues, workers, schedules); published like `event`."""

    def job(self, id: str) -> str:
        """hash of small fields (each <= 64 bytes, so that it stays a listpack); until pruned."""
        return f"{self.prefix}job:{id}"

    def msg(self, id: str) -> str:
        """string: the message as JSON; until pruned."""
        return f"{self.prefix}msg:{id}"

    def out(self, id: str) -> str:
        """hash: result, error and progress as JSON; until pruned."""
        return f"{self.prefix}out:{id}"

    def attempts(self, id: str) -> str:
        """list of the newest 25 deliveries that did not complete, newest first; until pruned."""
        return f"{self.prefix}attempts:{id}"

    def log(self, id: str) -> str:
        """stream of the newest lines that its actor logged, each with the number of its delivery; until pruned."""
        return f"{self.prefix}log:{id}"

    def step(self, id: str) -> str:
        """hash: step -> ``begun`` or ``done``, the instant, by which delivery, its result as JSON; until pruned."""
        return f"{self.prefix}step:{id}"

    def tags(self, id: str) -> str:
        """string: the tags of a job that has some, parted by spaces; until pruned."""
        return f"{self.prefix}tags:{id}"

    def tag(self, tag: str) -> str:
        """zset of the jobs with a tag by creation instant; until pruned."""
        return f"{self.prefix}tag:{tag}"

    def hook(self, id: str) -> str:
        """hash: who is told of the end of a job that has a webhook, and how often it ended; until pruned."""
        return f"{self.prefix}hook:{id}"

    def final(self, state: str) -> str:
        """zset of ids in a final state by instant; bounded by age and count (prune)."""
        return f"{self.prefix}final:{state}"

    def ready(self, queue: str) -> str:
        """zset of queued ids by priority, then arrival."""
        return f"{self.prefix}q:{queue}"

    def due(self, queue: str) -> str:
        """zset of scheduled and retrying ids by the instant they are due."""
        return f"{self.prefix}due:{queue}"

    def wake(self, queue: str) -> str:
        """zset with at most one mark: work waits that no process knows of."""
        return f"{self.prefix}wake:{queue}"

    def bell(self, session: str) -> str:
        """zset of signals for one worker process; until its session ends."""
        return f"{self.prefix}bell:{session}"

    def session(self, session: str) -> str:
        """hash: what the worker process is; until its session ends."""
        return f"{self.prefix}session:{session}"

    def running(self, session: str) -> str:
        """hash: id -> token of the jobs a session holds; until its session ends."""
        return f"{self.prefix}running:{session}"

    def claim(self, session: str) -> str:
        """hash: nonce and ids of the last claim; until its session ends."""
        return f"{self.prefix}claim:{session}"

    def group(self, id: str) -> str:
        """hash: size, callbacks and completed members of a group; expires 30 days after its creation."""
        return f"{self.prefix}group:{id}"

    def schedule(self, name: str) -> str:
        """hash: definition as JSON, version, last and next tick, counters, pause; until removed."""
        return f"{self.prefix}schedule:{name}"

    def ticks(self, name: str) -> str:
        """stream of the newest ticks of a schedule: instant, cause, what became of it; until removed."""
        return f"{self.prefix}ticks:{name}"

    def api_key(self, id: str) -> str:
        """hash: name, scopes and actors of an API key, hashes of its secrets, when it expires; until revoked."""
        return f"{self.prefix}api_key:{id}"

    def login(self, digest: str) -> str:
        """hash: with which key a browser is signed in, and a proof of it; expires."""
        return f"{self.prefix}login:{digest}"

    def login_code(self, digest: str) -> str:
        """string: present while a code to sign in with may be used; expires."""
        return f"{self.prefix}login_code:{digest}"

    def asked(self, name: str) -> str:
        """stream of the newest jobs of a schedule that people asked for (run now, backfill), as `ticks`."""
        return f"{self.prefix}asked:{name}"

    def idem(self, name: str) -> str:
        """hash: the job that an idempotency key made, and what it asked for; expires (JOBS_IDEMPOTENCY_MS)."""
        return f"{self.prefix}idem:{name}"

    def unique(self, digest: str) -> str:
        """hash: the job that alone may do a piece of work, and the one that follows it; until released, or expires."""
        return f"{self.prefix}unique:{digest}"

    def total(self, actor: str) -> str:
        """hash of counters that never decrease; for ever."""
        return f"{self.prefix}total:{actor}"

    def minute(self, actor: str, minute: int) -> str:
        """hash of the counters of one minute since the epoch, of all actors for ``""``; expires after 6 hours."""
        return f"{self.prefix}m:{actor}:{minute}"

    def ten(self, actor: str, ten: int) -> str:
        """hash of the sums of ten minutes, as `minute`; expires after 80 hours."""
        return f"{self.prefix}t:{actor}:{ten}"

    def hour(self, actor: str, hour: int) -> str:
        """hash of the sums of an hour, as `minute`; expires after 35 days."""
        return f"{self.prefix}h:{actor}:{hour}"

    def quota(self, who: str) -> str:
        """string: what somebody has asked for in this minute; expires with it."""
        return f"{self.prefix}quota:{who}"

    def aside(self, name: str) -> str:
        """anything: a key that had another type than its name asks for; expires 30 days after a repair moved it."""
        return f"{self.prefix}aside:{name}"

    def event(self, id: str) -> str:
        """channel: the new state of one job, or what else is new about it; published only while somebody watches."""
        return f"{self.prefix}ev:{id}"
