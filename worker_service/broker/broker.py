"""`JobBroker`: Dramatiq's broker interface over the job store."""

import dataclasses
from collections.abc import Mapping
from datetime import timedelta
from time import monotonic, sleep
from types import MappingProxyType
from typing import Any

import dramatiq
from dramatiq.errors import ConnectionClosed, QueueJoinTimeout, QueueNotFound
from dramatiq.middleware import Middleware

from ..jobs.errors import (
    DuplicateJob,
    IdempotencyKeyReused,
    InvalidJob,
    QueueFull,
    StoreUnavailable,
    WorkerServiceError,
)
from ..jobs.masking import MASK, is_sensitive
from ..settings import Settings
from ..store import Hook, Idempotency, Level, Listing, NewJob, Queries, Store, Submitted, Vitals, connect
from .consumer import JobConsumer
from .groups import NEXT, GroupCallbacks, Membership, membership_of
from .hooks import HookedBroker
from .process import WorkerProcess
from .proxy import CURRENT, Decision, JobProxy
from .results import job_results
from .submission import TRACEPARENT, encode, milliseconds, read_message
from .webhook_option import hook_of

JOIN_LOOK_SECONDS = 0.02


class JobBroker(HookedBroker):
    """A broker that keeps every message as a job.

    It opens no connection and starts no thread until it is used: it survives a fork and a preload.

    Args:
        settings: where the jobs are, and how workers behave.
        middleware: Dramatiq middleware, in order; what the broker itself needs is put before it.
    """

    def __init__(self, settings: Settings, middleware: list[Middleware]) -> None:
        client = connect(settings.redis_url)
        self.store = Store(client, settings.namespace).for_many_threads()
        self.reads = Queries(client, settings.namespace)
        self.listing = Listing(client, self.reads)
        self.vitals = Vitals(client)
        self.process = WorkerProcess(self.store, self.reads, settings)
        self._routes = settings.routes
        self._may_sign = bool(settings.webhook_keys)
        self._last_group: tuple[str, tuple[NewJob, ...]] = ("", ())
        own: list[Middleware] = [self.process, job_results(self.reads), GroupCallbacks(self.store)]
        super().__init__(middleware=[*own, *middleware])

    def declare_actor(self, actor: dramatiq.Actor[Any, Any]) -> None:
        """Declare an actor; its function is wrapped so that interrupts reach it and nothing else."""
        self.declare_queue(actor.queue_name)  # jobs from before it was routed elsewhere may wait there
        actor.queue_name = self._routes.get(actor.actor_name, actor.queue_name)
        self.process.guard(actor)
        super().declare_actor(actor)

    def declare_queue(self, queue_name: str) -> None:
        """Declare a queue; safe to repeat."""
        if queue_name not in self.queues:
            self.emit_before("declare_queue", queue_name)
            self.queues[queue_name] = None
            self.emit_after("declare_queue", queue_name)

    def enqueue(
        self, message: "dramatiq.Message[Any] | JobProxy", *, delay: int | timedelta | None = None
    ) -> "dramatiq.Message[Any]":
        """Create a job from a message.

        The message under way, enqueued again by the retry middleware, is only noted: finish does it. What a
        middleware sends before or after an actor's function is a follow-up, written by finish as well.

        Args:
            message: what to send.
            delay: milliseconds from now, of any length.

        Returns:
            The message as it was sent; under the id of the job that does its work, if that is another one.

        Raises:
            InvalidJob: a name, an option or an argument is wrong.
            DuplicateJob: another job does the same work, and this one was to be rejected then.
            QueueFull: as many jobs wait in the queue as its limit allows.
            ConnectionClosed: Redis is away; call again with the same message.
        """
        plain: dramatiq.Message[Any] = (
            message._message if isinstance(message, dramatiq.MessageProxy) else message
        )
        current = CURRENT.get()
        if current is not None and current.is_finished:
            current = None  # code of the actor that outlived it, in a task or a thread of its own
        if current is not None and current.message_id == plain.message_id:
            self.emit_before("enqueue", plain, delay)
            current.decision = current.decision or Decision(
                "retry", "retry", milliseconds(delay, "delay") or 0, encode(_to_repeat(plain))
            )
            self.emit_after("enqueue", plain, delay)
            return plain
        if current is not None and not current.in_actor:
            current.outbox.append(self.follow_up(current.message_id, plain, delay))
            return plain
        try:
            sent, _, submitted = self.submit(plain, delay)
        except StoreUnavailable as error:
            raise ConnectionClosed(str(error)) from error
        if submitted.word == "duplicate" and NEXT in sent.options:
            raise DuplicateJob(
                f"The job {submitted.id} does the work of the first step: the others would never run.",
                submitted.id,
            )
        return dataclasses.replace(sent, message_id=submitted.id) if submitted.id else sent

    def submit(
        self,
        message: "dramatiq.Message[Any]",
        delay: int | timedelta | None = None,
        *,
        run_at_ms: int | None = None,
        expires_at_ms: int | None = None,
        idempotency: Idempotency | None = None,
    ) -> "tuple[dramatiq.Message[Any], NewJob, Submitted]":
        """Check a message and create its job, in one round trip.

        Args:
            message: what to send.
            delay: milliseconds from now.
            run_at_ms, expires_at_ms: instants in UTC ms, which have no place in a message.
            idempotency: of the request that asks for it.

        Returns:
            The message as it was sent, its job, and what became of that: created, or another one that is there.

        Raises:
            InvalidJob: a name, an option or an argument is wrong, or the job would expire before it is due.
            IdempotencyKeyReused: the key came with another request before.
            DuplicateJob: another job does the same work, and this one was to be rejected then.
            QueueFull: as many jobs wait in the queue as its limit allows.
            StoreUnavailable: Redis is away; call again with the same message.
        """
        sent, job = self.prepare(
            message, delay, run_at_ms=run_at_ms, expires_at_ms=expires_at_ms, idempotency=idempotency
        )
        return sent, job, self.create(sent, job)

    def prepare(
        self,
        message: "dramatiq.Message[Any]",
        delay: int | timedelta | None = None,
        *,
        run_at_ms: int | None = None,
        expires_at_ms: int | None = None,
        idempotency: Idempotency | None = None,
    ) -> "tuple[dramatiq.Message[Any], NewJob]":
        """Check a message; the first half of `submit`, with the same arguments.

        Raises:
            InvalidJob: a name, an option or an argument is wrong.
        """
        more = {"run_at_ms": run_at_ms, "expires_at_ms": expires_at_ms, "idempotency": idempotency}
        sent, job = self._read(message, delay, more)
        _check_debounce(job)
        return sent, job

    def create(self, sent: "dramatiq.Message[Any]", job: NewJob, level: Level | None = None) -> Submitted:
        """Create a job that was prepared; the second half of `submit`, with the same errors.

        Args:
            level: how safe the job has to be before this returns.

        Raises:
            NotDurable: the job is there, but has not reached ``level`` in time.
        """
        if level is None:
            (submitted,) = self.store.submit([job])
        else:
            with self.store.durable(level) as store:
                (submitted,) = store.submit([job])
        refused = refusal(submitted, job)
        if refused is not None:
            raise refused
        if not submitted.id:
            self.emit_after("enqueue", sent, job.delay_ms)
        return submitted

    def replay_as(self, id: str, message: "dramatiq.Message[Any]") -> tuple[str, str]:
        """Run a dead or cancelled job again as a new one; see `Store.replay_as`.

        Raises:
            InvalidJob: a name, an option or an argument is wrong.
            StoreUnavailable: Redis is away; call again with the same message.
        """
        sent, job = self._read(_to_repeat(message), None)
        word, other = self.store.replay_as(id, job)
        if word == "replayed":
            self.emit_after("enqueue", sent, None)
        return word, other

    def follow_up(
        self, parent: str, message: "dramatiq.Message[Any]", delay: int | timedelta | None = None
    ) -> NewJob:
        """The job of a follow-up. It is never refused: one that cannot run is created dead, saying why.

        Args:
            parent: id of the job, or of the group, that it follows.
        """
        try:
            sent, job = self._read(message, delay)
        except InvalidJob as error:
            self.logger.error(
                "Follow-up %s %s of %s cannot run: %s",
                message.actor_name,
                message.message_id,
                parent,
                error.code,
            )
            return NewJob(
                id=message.message_id,
                queue=message.queue_name,
                actor=message.actor_name,
                message=_readable(message, self.actors.get(message.actor_name)),
                parent=parent,
                dead_reason=error.code,
            )
        self.emit_after("enqueue", sent, delay)
        return dataclasses.replace(job, parent=parent)

    def _read(
        self,
        message: "dramatiq.Message[Any]",
        delay: int | timedelta | None,
        more: Mapping[str, Any] = MappingProxyType({}),
    ) -> "tuple[dramatiq.Message[Any], NewJob]":
        """The message as it is sent, and its job, whole, with ``more`` fields that have no place in a message."""
        sent, job = read_message(self, message, delay)
        current = CURRENT.get()
        if current is not None and TRACEPARENT in current.options:
            sent.options.setdefault(TRACEPARENT, current.options[TRACEPARENT])
        self.emit_before("enqueue", sent, delay)
        job.message, job.hook = encode(sent), self._hook(sent)
        for name, value in more.items():
            setattr(job, name, value)
        membership = membership_of(message.options)
        if membership is not None:
            job.group, job.is_member = membership.group, membership.is_member
            job.callbacks = self._callbacks(membership)
        return sent, job

    def _hook(self, message: "dramatiq.Message[Any]") -> Hook | None:
        given = message.options.get("webhook")
        return hook_of(self, message.options, may_sign=self._may_sign) if given else None

    def _callbacks(self, membership: Membership) -> tuple[NewJob, ...]:
        """The callbacks of a group as jobs, made once for all its members, who are sent one after the other."""
        group, made = self._last_group
        if group != membership.group:
            made = tuple(
                self.follow_up(membership.group, dramatiq.Message(**callback))
                for callback in membership.callbacks
            )
            self._last_group = (membership.group, made)
        return made

    def consume(self, queue_name: str, prefetch: int = 1, timeout: int = 30000) -> JobConsumer:
        """A consumer of one declared queue. ``prefetch`` is not used: claims are bounded by idle threads."""
        if queue_name not in self.queues:
            raise QueueNotFound(queue_name)
        return JobConsumer(self.process, queue_name, timeout)

    def flush(self, queue_name: str) -> None:
        """Cancel every job that waits in a queue."""
        for id in self.reads.waiting(queue_name):
            self.store.cancel(id)

    def flush_all(self) -> None:
        """Cancel every job that waits."""
        for queue_name in self.queues:
            self.flush(queue_name)

    def join(self, queue_name: str, *, timeout: int | None = None) -> None:
        """Wait until a queue is empty and nothing runs; for tests.

        Raises:
            QueueJoinTimeout: it did not happen within ``timeout`` ms.
        """
        deadline = None if timeout is None else monotonic() + timeout / 1000
        while self.reads.depth(queue_name) or self.reads.running():
            if deadline is not None and monotonic() > deadline:
                raise QueueJoinTimeout(queue_name)
            sleep(JOIN_LOOK_SECONDS)

    def close(self) -> None:
        """Close the connections."""
        self.store.client.close()


def _check_debounce(job: NewJob) -> None:
    debounced = job.lock is not None and job.lock.on_conflict == "debounce"
    if debounced and job.delay_ms is None and job.run_at_ms is None:
        raise InvalidJob(
            "A job is debounced by waiting anew: say how long (delay_ms, run_at).",
            pointer="/unique/on_conflict",
            code="no_delay",
        )


def refusal(submitted: Submitted, job: NewJob) -> WorkerServiceError | None:
    """Why a job was not created; None when it was, or another one does for it."""
    match submitted.word:
        case "too_late":
            return InvalidJob(
                "The job would expire before it could start.", pointer="/expires_at", code="too_late"
            )
        case "rejected":
            hint = " It is dead: put it back (retry), or remove it." if submitted.state == "dead" else ""
            return DuplicateJob(
                f"The job {submitted.id} ({submitted.state}) does the same work.{hint}", submitted.id
            )
        case "conflict":
            return IdempotencyKeyReused(
                "This Idempotency-Key came with another request before. Use a new key for each request."
            )
        case "full":
            return QueueFull(f"As many jobs wait in the queue {job.queue!r} as its limit allows.")
    return None


def _to_repeat(message: "dramatiq.Message[Any]") -> "dramatiq.Message[Any]":
    """What the next delivery gets: as handed in, without what only concerns the last one."""
    dropped = ("traceback", "eta", "retries", "max_retries", "requeue_timestamp")
    return dataclasses.replace(
        message, options={name: value for name, value in message.options.items() if name not in dropped}
    )


def _readable(message: "dramatiq.Message[Any]", actor: "dramatiq.Actor[Any, Any] | None") -> bytes:
    try:
        return encode(message)
    except InvalidJob:
        told = MASK if is_sensitive(actor.fn if actor else None) else repr(message.args)
        return encode(dataclasses.replace(message, args=(told,), kwargs={}, options={}))
