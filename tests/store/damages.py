"""Every kind of damage that the doctor knows, done to the namespace of healthy.py."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from worker_service.store.keys import Keys


@dataclass(frozen=True)
class Damage:
    """A kind of damage.

    Attributes:
        plant: does it to a healthy namespace.
        found: (word, subject) of what the doctor finds.
        job: one that must end as it would have without the damage.
        replays: whether a person has to put that job back first.
    """

    plant: Callable[[Any, Keys], object]
    found: set[tuple[str, str]]
    job: str = ""
    replays: bool = False


DAMAGES = {
    "record of a queued job": Damage(
        lambda r, k: r.delete(k.job("queued-1")), {("lost_record", "queued-1")}, "queued-1", True
    ),
    "record of a running job": Damage(
        lambda r, k: r.delete(k.job("running-1")),
        {("lost_record", "running-1")},
        "running-1",
        True,
    ),
    "record and message of a queued job": Damage(
        lambda r, k: r.delete(k.job("queued-1"), k.msg("queued-1")), {("no_job", "queued-1")}
    ),
    "record of a succeeded job": Damage(
        lambda r, k: r.delete(k.job("succeeded-1")), {("remains", "succeeded-1")}
    ),
    "message of a record that is lost is no message": Damage(
        lambda r, k: (r.delete(k.job("queued-1")), r.set(k.msg("queued-1"), "{")),
        {("lost_record", "queued-1")},
    ),
    "state of a queued job": Damage(
        lambda r, k: r.hset(k.job("queued-1"), "state", "?"),
        {("unreadable", "queued-1")},
        "queued-1",
        True,
    ),
    "state of a succeeded job": Damage(
        lambda r, k: r.hdel(k.job("succeeded-1"), "state"), {("unreadable", "succeeded-1")}, "succeeded-1"
    ),
    "actor of a succeeded job": Damage(
        lambda r, k: r.hdel(k.job("succeeded-1"), "actor"), {("unreadable", "succeeded-1")}, "succeeded-1"
    ),
    "counter of a retrying job": Damage(
        lambda r, k: r.hset(k.job("retrying-1"), "attempts", "many"),
        {("unreadable", "retrying-1")},
        "retrying-1",
        True,
    ),
    "priority of a queued job": Damage(
        lambda r, k: r.hdel(k.job("queued-1"), "priority"), {("unreadable", "queued-1")}
    ),
    "queue of a scheduled job": Damage(
        lambda r, k: r.hdel(k.job("scheduled-1"), "queue"),
        {("unreadable", "scheduled-1"), ("astray", "scheduled-1")},
    ),
    "token of a running job": Damage(
        lambda r, k: r.hdel(k.job("running-1"), "token"),
        {("unreadable", "running-1"), ("astray", "running-1")},
        "running-1",
        True,
    ),
    "message of a waiting job": Damage(
        lambda r, k: r.delete(k.msg("scheduled-1")), {("no_message", "scheduled-1")}
    ),
    "place of a queued job": Damage(
        lambda r, k: r.zrem(k.ready("mail"), "queued-1"), {("misplaced", "queued-1")}, "queued-1"
    ),
    "place of a scheduled job": Damage(
        lambda r, k: r.zrem(k.due("mail"), "scheduled-1"), {("misplaced", "scheduled-1")}, "scheduled-1"
    ),
    "place of a retrying job": Damage(
        lambda r, k: r.zrem(k.due("default"), "retrying-1"), {("misplaced", "retrying-1")}, "retrying-1"
    ),
    "place of a running job": Damage(
        lambda r, k: r.hdel(k.running("s1"), "running-1"), {("misplaced", "running-1")}, "running-1"
    ),
    "place of a dead job": Damage(lambda r, k: r.zrem(k.final("dead"), "dead-1"), {("misplaced", "dead-1")}),
    "a whole queue": Damage(
        lambda r, k: r.delete(k.ready("mail")),
        {("misplaced", "queued-1"), ("misplaced", "queued-2"), ("misplaced", "tick")},
        "queued-2",
    ),
    "the list of all jobs": Damage(
        lambda r, k: r.zrem(k.jobs, "queued-1", "dead-1"), {("unlisted", "queued-1"), ("unlisted", "dead-1")}
    ),
    "a second place, in another queue": Damage(
        lambda r, k: r.zadd(k.ready("default"), {"queued-1": 1}), {("astray", "queued-1")}, "queued-1"
    ),
    "a second place, of another state": Damage(
        lambda r, k: r.zadd(k.final("dead"), {"queued-1": 1}), {("astray", "queued-1")}, "queued-1"
    ),
    "a second place, under another token": Damage(
        lambda r, k: r.hset(k.running("s1"), "queued-1", "s1:1"), {("astray", "queued-1")}, "queued-1"
    ),
    "a place whose name is no text": Damage(
        lambda r, k: r.zadd(k.ready("").encode() + b"\xff", {"queued-1": 1, b"\xfe": 1}),
        {("astray", "queued-1"), ("no_job", "\ufffd"), ("unregistered", "\ufffd")},
        "queued-1",
    ),
    "the deadlines": Damage(
        lambda r, k: r.delete(k.deadlines), {("unwatched", "scheduled-1"), ("unwatched", "scheduled-2")}
    ),
    "another deadline": Damage(
        lambda r, k: r.zadd(k.deadlines, {"scheduled-1": 5}), {("unwatched", "scheduled-1")}, "scheduled-1"
    ),
    "deadlines of jobs that have none": Damage(
        lambda r, k: r.zadd(k.deadlines, {"queued-1": 5, "running-1": 5, "dead-1": 5, "ghost": 5}),
        {("astray", "queued-1"), ("astray", "running-1"), ("astray", "dead-1"), ("no_job", "ghost")},
        "queued-1",
    ),
    "an id without a job": Damage(
        lambda r, k: (r.zadd(k.jobs, {"ghost": 1}), r.zadd(k.due("mail"), {"ghost": 1})), {("no_job", "ghost")}
    ),
    "a session that is not listed": Damage(
        lambda r, k: r.zrem(k.sessions, "s1"),
        {("abandoned", "running-1"), ("abandoned", "running-2")},
        "running-1",
    ),
    "a session that is gone altogether": Damage(
        lambda r, k: (r.zrem(k.sessions, "s1"), r.delete(k.session("s1"), k.running("s1"), k.claim("s1"))),
        {("abandoned", "running-1"), ("abandoned", "running-2")},
        "running-1",
    ),
    "what a session is": Damage(lambda r, k: r.delete(k.session("s1")), {("unknown_session", "s1")}),
    "keys of a session that is gone": Damage(
        lambda r, k: (r.hset(k.session("old"), "host", "h"), r.hset(k.claim("old"), "nonce", "1")),
        {("gone_session", "old")},
    ),
    "an output, attempts, a log and a ledger without a job": Damage(
        lambda r, k: (
            r.hset(k.out("ghost"), "result", "1"),
            r.lpush(k.attempts("ghost"), "1"),
            r.xadd(k.log("ghost"), {"n": "1", "line": "x"}),
            r.hset(k.step("ghost"), "paid", "1"),
            r.hset(k.hook("ghost"), "events", "dead"),
        ),
        {("leak", "ghost")},
    ),
    "a queue that is not registered": Damage(
        lambda r, k: r.hdel(k.queues, "mail"), {("unregistered", "mail")}, "queued-1"
    ),
    "the registry of queues": Damage(
        lambda r, k: r.delete(k.queues),
        {("unregistered", queue) for queue in ("mail", "default", "waits", "failed", "locks", "hooks")},
        "queued-1",
    ),
    "why a queue is paused": Damage(
        lambda r, k: r.hset(k.paused, "mail", "x"), {("unreadable_pause", "mail")}, "queued-1"
    ),
    "the number of members that joined": Damage(
        lambda r, k: r.hset(k.group("waits"), "joined", 0), {("miscounted", "waits")}, "waits-callback"
    ),
    "a member that was not counted": Damage(
        lambda r, k: r.hdel(k.group("waits"), "joined", "member:waits-1"),
        {("uncounted", "waits-1")},
        "waits-callback",
    ),
    "the size of a group": Damage(
        lambda r, k: r.hdel(k.group("waits"), "size"), {("no_size", "waits")}, "waits-callback", True
    ),
    "the callbacks of a group": Damage(
        lambda r, k: r.hset(k.group("waits"), "callbacks", "3:ab"), {("no_callbacks", "waits")}, "waits-2"
    ),
    "a group that has not heard of a dead member": Damage(
        lambda r, k: r.hdel(k.group("failed"), "failed"), {("untold", "failed-1")}
    ),
    "a group without jobs": Damage(
        lambda r, k: r.hset(k.group("lone"), mapping={"size": 2, "callbacks": "", "joined": 0}),
        {("deserted", "lone")},
    ),
    "an owner that has gone without its lock": Damage(
        lambda r, k: r.hset(k.unique("d"), mapping={"owner": "ghost", "until": "done"}),
        {("lock_without_owner", "d")},
    ),
    "a lock that a job should hold": Damage(
        lambda r, k: r.hset(k.job("queued-1"), mapping={"unique": "d", "until": "done", "holds": "d"}),
        {("holder_without_lock", "queued-1")},
        "queued-1",
    ),
    "a lock that two jobs hold": Damage(
        lambda r, k: (
            r.hset(k.job("queued-1"), mapping={"unique": "d", "until": "done", "holds": "d"}),
            r.hset(k.job("queued-2"), mapping={"unique": "d", "until": "done", "holds": "d"}),
            r.hset(k.unique("d"), mapping={"owner": "queued-2", "until": "done"}),
        ),
        {("holder_without_lock", "queued-1")},
        "queued-1",
    ),
    "an owner that a follower waits for": Damage(
        lambda r, k: r.delete(k.unique("u1")),
        {("holder_without_lock", "owner"), ("follower_without_lock", "follower")},
    ),
    "a lock that does not know who follows": Damage(
        lambda r, k: r.hdel(k.unique("u1"), "next"), {("follower_without_lock", "follower")}
    ),
    "an owner that forgot its lock": Damage(
        lambda r, k: r.hdel(k.job("owner"), "holds"), {("forgotten_lock", "u1")}, "owner"
    ),
    "a lock that somebody follows no more": Damage(
        lambda r, k: r.hset(k.unique("u2"), "next", "queued-1"), {("no_follower", "u2")}
    ),
    "steps of no job": Damage(
        lambda r, k: r.hset(k.step("ghost"), "charge", "begun 1 t"), {("leak", "ghost")}
    ),
    "a tag that has lost a job": Damage(lambda r, k: r.zrem(k.tag("red"), "alone"), {("untagged", "alone")}),
    "a tag of a job without one": Damage(
        lambda r, k: r.zadd(k.tag("red"), {"queued-1": 1}), {("wrong_tag", "queued-1")}, "queued-1"
    ),
    "a tag of no job": Damage(lambda r, k: r.zadd(k.tag("green"), {"ghost": 1}), {("wrong_tag", "ghost")}),
    "the tags of a job": Damage(lambda r, k: r.delete(k.tags("alone")), {("wrong_tag", "alone")}),
    "tags without a job": Damage(
        lambda r, k: (r.set(k.tags("ghost"), "red"), r.zadd(k.tag("red"), {"ghost": 1})),
        {("leak", "ghost")},
    ),
    "a tag of another type": Damage(
        lambda r, k: (r.delete(k.tag("red")), r.set(k.tag("red"), "x")),
        {("other_type", "tag:red"), ("hindered", "alone")},
    ),
    "a queue of another type": Damage(
        lambda r, k: (r.delete(k.ready("mail")), r.set(k.ready("mail"), "x")),
        {("other_type", "q:mail"), ("hindered", "queued-1"), ("hindered", "queued-2"), ("hindered", "tick"),
         ("hindered", "mail")},
        "queued-1",
    ),
    "a record of another type": Damage(
        lambda r, k: (r.delete(k.job("queued-1")), r.set(k.job("queued-1"), "x")),
        {("other_type", "job:queued-1"), ("hindered", "queued-1")},
        "queued-1",
        True,
    ),
    "a message of another type": Damage(
        lambda r, k: (r.delete(k.msg("queued-1")), r.hset(k.msg("queued-1"), "a", "b")),
        {("other_type", "msg:queued-1"), ("no_message", "queued-1")},
    ),
    "an output of another type": Damage(
        lambda r, k: r.set(k.out("queued-1"), "x"), {("other_type", "out:queued-1")}, "queued-1"
    ),
    "the number of arrivals": Damage(
        lambda r, k: r.set(k.arrivals, "x"), {("no_number", "arrivals")}, "queued-1"
    ),
    "arrivals outside of 64 bits": Damage(
        lambda r, k: r.set(k.arrivals, "9" * 20), {("no_number", "arrivals")}, "queued-1"
    ),
    "arrivals of another type": Damage(
        lambda r, k: (r.delete(k.arrivals), r.hset(k.arrivals, "a", "b")),
        {("other_type", "arrivals"), ("hindered", "keys")},
    ),
    "the instant of the last rescue": Damage(
        lambda r, k: r.hset(k.meta, "rescue_at", "x"), {("no_number", "meta rescue_at")}, "running-1"
    ),
    "the schema": Damage(lambda r, k: r.hdel(k.meta, "schema"), {("no_schema", "meta schema")}),
    "a schema that is no number": Damage(
        lambda r, k: r.hset(k.meta, "schema", "x"), {("no_number", "meta schema")}
    ),
    "meta as a whole": Damage(lambda r, k: r.delete(k.meta), {("no_schema", "meta schema")}, "running-1"),
    "meta of another type": Damage(
        lambda r, k: (r.delete(k.meta), r.set(k.meta, "x")),
        {("other_type", "meta"), ("hindered", "keys")},
    ),
    "the last tick of a schedule": Damage(
        lambda r, k: r.hset(k.schedule("each"), "last", "x"),
        {("no_number", "schedule each"), ("damaged_schedule", "each")}
    ),
    "the next tick of a schedule": Damage(
        lambda r, k: r.hset(k.schedule("each"), "next", "9" * 18),
        {("no_number", "schedule each"), ("damaged_schedule", "each")}
    ),
    "the version of a schedule": Damage(
        lambda r, k: r.hset(k.schedule("each"), "version", "x"),
        {("no_number", "schedule each"), ("damaged_schedule", "each")}
    ),
    "the uid of a schedule": Damage(
        lambda r, k: r.hset(k.schedule("each"), "uid", '"'), {("unmarked", "each"), ("damaged_schedule", "each")}
    ),
    "a name that no schedule can have": Damage(
        lambda r, k: r.zadd(k.schedules, {b"caf\xe9": 1}), {("bad_name", "caf\ufffd")}
    ),
    "a schedule that is listed only": Damage(
        lambda r, k: r.zadd(k.schedules, {"ghost": 1}), {("no_schedule", "ghost")}
    ),
    "a schedule that is not listed": Damage(lambda r, k: r.zrem(k.schedules, "each"), {("unlisted", "each")}),
    "a schedule of another type": Damage(
        lambda r, k: (r.delete(k.schedule("each")), r.set(k.schedule("each"), "x")),
        {("other_type", "schedule:each"), ("damaged_schedule", "each")}
    ),
    "counters that miss an end": Damage(
        lambda r, k: r.hincrby(k.total("work"), "succeeded", -1), {("too_few_ends", "work")}
    ),
    "counters that miss a beginning": Damage(
        lambda r, k: r.hincrby(k.total("work"), "enqueued", -3), {("too_many_ends", "work")}
    ),
    "counters that are lost": Damage(lambda r, k: r.delete(k.total("work")), {("too_many_ends", "work")}),
    "a counter that is no number": Damage(
        lambda r, k: r.hset(k.total("work"), "started", "x"), {("no_counter", "work")}
    ),
    "a counter outside of 64 bits": Damage(
        lambda r, k: r.hset(k.total("work"), "enqueued", "9" * 20), {("no_counter", "work")}, "queued-1"
    ),
    "a counter that Lua does not hold exactly": Damage(
        lambda r, k: r.hset(k.total("work"), "enqueued", 2**63 - 1), {("no_counter", "work")}, "queued-1"
    ),
    "a counter with a leading zero": Damage(
        lambda r, k: r.hset(k.minute("work", 7), "started", "007"), {("no_counter", "work:7")}
    ),
    "a counter of a minute": Damage(
        lambda r, k: r.hset(k.minute("work", 7), "started", "x"), {("no_counter", "work:7")}
    ),
    "a queue that is not registered, of a running job": Damage(
        lambda r, k: r.hset(k.job("running-1"), "queue", "other"), {("unregistered", "other")}, "running-1"
    ),
}  # fmt: skip
