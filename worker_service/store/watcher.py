"""One thread and one connection that hear what the scripts publish, for all who wait in this process.

Promises. Nothing that is published after `Watcher.job` or `Watcher.changes` has returned is missed, whatever the
number of waiters: who reads then and afterwards only when it hears something, always knows the newest state. After a
loss of the connection everybody hears `LOST`, once it is heard again, and reads anew. While nobody waits, there is no
thread and no connection, and the scripts publish nothing.

How it is kept. The channel of a job is subscribed, and the watch key, without which the scripts are silent, is set
before a waiter goes on. Only the thread touches the connection. Who wants it to subscribe notes the channel and
publishes a word on a channel of the thread's own, which ends its blocking read: one cheap command instead of a second
way to wake a thread that reads from a socket, be it one with TLS.
"""

import logging
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import redis

from ..jobs.errors import StoreUnavailable
from .connection import COMMAND_TIMEOUT, translated
from .keys import Keys

WATCH_MS = 60_000
"""How long the scripts publish after somebody has asked them to."""

LOST = "lost"
"""A word like those of the scripts: some of theirs may be missing."""

REFRESH_SECONDS = WATCH_MS / 3000
RETRY_SECONDS = 0.5
IDLE_SECONDS = 10.0
LOOK_SECONDS = 2.0

_logger = logging.getLogger(__name__)


class Watch:
    """What one waiter hears of one channel."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._words: set[str] = set()
        self._is_subscribed = False
        self.is_over = False
        """Whether the process stops: from now on `hear` returns at once."""

    def hear(self, timeout: float) -> set[str]:
        """The words since the last call, each once: what was published, or `LOST`.

        Args:
            timeout: seconds to wait for the first of them; when the time is up the set is empty.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._words or self.is_over, timeout)
            heard, self._words = self._words, set()
            return heard

    def tell(self, word: str) -> None:
        """Make the waiter hear a word."""
        with self._changed:
            self._words.add(word)
            self._changed.notify_all()

    def subscribed(self) -> None:
        """From now on nothing is missed; when that is said again, something may have been missed in between."""
        with self._changed:
            if self._is_subscribed:
                self._words.add(LOST)
            self._is_subscribed = True
            self._changed.notify_all()

    def end(self) -> None:
        """End all waiting."""
        with self._changed:
            self.is_over = True
            self._changed.notify_all()

    def wait_until_subscribed(self, timeout: float) -> bool:
        """Whether that happened in time."""
        with self._changed:
            return bool(self._changed.wait_for(lambda: self._is_subscribed or self.is_over, timeout))


class Watcher:
    """What happens in one namespace, for all waiters of this process; starts its thread with the first of them.

    Args:
        client: see `connect`; the thread takes one of its connections.
        keys: of the namespace.
    """

    def __init__(self, client: redis.Redis, keys: Keys) -> None:
        self._client = client
        self._keys = keys
        self._bell = self._keys.event(f"watcher {uuid.uuid4()}")  # with a space, which no job's id has
        self._lock = threading.Lock()
        self._watches: dict[str, list[Watch]] = {}
        self._subscribed: set[str] = set()
        self._is_dirty = False
        self._is_over = False
        self._thread: threading.Thread | None = None

    @contextmanager
    def job(self, id: str) -> Iterator[Watch]:
        """Hear of one job: its new state, or `progress`, `log`, `replaced`, `removed`.

        Raises:
            StoreUnavailable: Redis is away.
        """
        with self._watch(self._keys.event(id)) as watch:
            yield watch

    @contextmanager
    def changes(self) -> Iterator[Watch]:
        """Hear what kind of thing changes: `jobs`, `queues`, `workers` or `schedules`.

        Raises:
            StoreUnavailable: Redis is away.
        """
        with self._watch(self._keys.changed) as watch:
            yield watch

    def stop(self) -> None:
        """End all waiting, that of later comers too."""
        with self._lock:
            self._is_over = True
            watches = [watch for some in self._watches.values() for watch in some]
        for watch in watches:
            watch.end()

    @contextmanager
    def _watch(self, channel: str) -> Iterator[Watch]:
        watch = Watch()
        is_new = self._add(channel, watch)
        try:
            if is_new:
                with translated():
                    self._announce()
                if not watch.wait_until_subscribed(COMMAND_TIMEOUT):
                    raise StoreUnavailable("Redis is not available: nothing is heard of it.")
            yield watch
        finally:
            with self._lock:
                self._watches[channel].remove(watch)
                if not self._watches[channel]:
                    del self._watches[channel]
                    self._is_dirty = True

    def _add(self, channel: str, watch: Watch) -> bool:
        """Whether the thread has to be told of it."""
        with self._lock:
            self._watches.setdefault(channel, []).append(watch)
            if self._is_over:
                watch.end()
                return False
            if self._thread is None or not self._thread.is_alive():  # the latter after a fork
                self._thread = threading.Thread(target=self._run, name="watcher", daemon=True)
                self._thread.start()
            if channel in self._subscribed:
                watch.subscribed()
                return False
            self._is_dirty = True
            return True

    def _announce(self) -> None:
        """Make the scripts publish, and the thread look at what it has to subscribe to."""
        with self._client.pipeline(transaction=False) as pipe:
            pipe.set(self._keys.watch, 1, px=WATCH_MS)
            pipe.publish(self._bell, "")
            pipe.execute()

    def _run(self) -> None:
        while True:
            try:
                with translated(), self._client.pubsub() as connection:
                    self._listen(connection)
                    return
            except StoreUnavailable as error:
                _logger.warning("Watching waits: %s", error)
            except Exception:
                _logger.exception("Watching failed; trying again.")
            if self._may_end():
                return
            time.sleep(RETRY_SECONDS)

    def _listen(self, connection: Any) -> None:
        """Until nobody has been waiting for a while.

        Raises:
            StoreUnavailable: the server is silent.
        """
        channels = _Channels(connection, self._bell)
        self._is_dirty = True
        heard_at = awaited_at = time.monotonic()
        announced_at = float("-inf")
        while True:
            now = time.monotonic()
            if self._is_dirty:
                self._follow(channels)
            if self._watches:
                awaited_at = now
                if now - announced_at >= REFRESH_SECONDS:
                    self._announce()
                    announced_at = now
            elif now - awaited_at >= IDLE_SECONDS and self._may_end():
                return
            if now - heard_at > REFRESH_SECONDS + COMMAND_TIMEOUT and now - announced_at > COMMAND_TIMEOUT:
                raise StoreUnavailable("the server is silent")
            message = connection.get_message(timeout=LOOK_SECONDS)
            if message is not None:
                heard_at = time.monotonic()
                self._pass_on(channels, message)

    def _follow(self, channels: "_Channels") -> None:
        """Subscribe to what is waited for, and to nothing else."""
        with self._lock:
            self._is_dirty = False
            wanted = set(self._watches)
            self._subscribed &= wanted
        channels.follow(wanted)

    def _may_end(self) -> bool:
        with self._lock:
            self._subscribed.clear()
            if self._watches:
                return False
            self._thread = None
            return True

    def _pass_on(self, channels: "_Channels", message: dict[str, Any]) -> None:
        channel = message["channel"].decode()
        if channels.was_replaced(message):
            raise StoreUnavailable("the connection was lost")
        if message["type"] == "subscribe" and channels.is_confirmed(channel):
            with self._lock:
                watches = self._watches.get(channel, [])
                if watches:
                    self._subscribed.add(channel)
                for watch in watches:
                    watch.subscribed()
        elif message["type"] == "message":
            word = message["data"].decode()
            with self._lock:
                for watch in self._watches.get(channel, ()):
                    watch.tell(word)


class _Channels:
    """What the connection is subscribed to: its own bell, and what is waited for."""

    def __init__(self, connection: Any, bell: str) -> None:
        self._connection = connection
        self._bell = bell
        self._has_bell = False
        self._asked: set[str] = set()
        self._unconfirmed: Counter[str] = Counter()
        connection.subscribe(bell)

    def follow(self, wanted: set[str]) -> None:
        """Subscribe to these channels alone."""
        gone, new = self._asked - wanted, wanted - self._asked
        if gone:
            self._connection.unsubscribe(*gone)
        if new:
            self._unconfirmed.update(new)
            self._connection.subscribe(*new)
        self._asked = set(wanted)

    def was_replaced(self, message: dict[str, Any]) -> bool:
        """Whether the driver has made a new connection by itself: then it has subscribed to the bell once more."""
        if message["type"] != "subscribe" or message["channel"].decode() != self._bell:
            return False
        was_there, self._has_bell = self._has_bell, True
        return was_there

    def is_confirmed(self, channel: str) -> bool:
        """Called with each confirmation: whether it is that of the last time it was asked for."""
        self._unconfirmed[channel] -= 1
        if self._unconfirmed[channel] > 0:
            return False
        del self._unconfirmed[channel]
        return True
