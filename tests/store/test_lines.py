"""Lines: connections that many threads share, one at a time."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import redis

from tests.waiting import wait_until
from worker_service.store import connect
from worker_service.store.line import Line, Lines


@pytest.fixture
def client(redis_url: str) -> Iterator[redis.Redis]:
    with connect(redis_url) as made:
        yield made


def test_every_thread_gets_its_own_answer_over_few_connections(client: redis.Redis):
    lines = Lines(client)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda number: lines.execute("ECHO", str(number)), range(2_000)))
    assert answers == [str(number).encode() for number in range(2_000)]
    assert 1 <= len(lines._free) <= 8


def test_connection_outlives_an_error_of_the_server(client: redis.Redis):
    lines = Lines(client)
    own = lines.execute("CLIENT", "ID")
    with pytest.raises(redis.ResponseError):
        lines.execute("NOPE")
    assert lines.execute("CLIENT", "ID") == own


def test_answer_that_nobody_waited_for_is_not_the_next_one_s(
    client: redis.Redis, monkeypatch: pytest.MonkeyPatch
):
    lines = Lines(client)
    lines.execute("PING")

    def interrupted(self: Line, *command: Any) -> Any:
        self._connection.send_command(*command)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Line, "_exchange", interrupted)
        with pytest.raises(KeyboardInterrupt):
            lines.execute("ECHO", "lost")
    assert lines.execute("ECHO", "mine") == b"mine"


def test_lost_connection_is_replaced(client: redis.Redis):
    lines = Lines(client)
    client.client_kill_filter(_id=str(lines.execute("CLIENT", "ID")))
    assert lines.execute("ECHO", "again") == b"again"


def test_a_fork_has_connections_of_its_own(client: redis.Redis):
    lines = Lines(client)
    own = lines.execute("CLIENT", "ID")
    child = os.fork()
    if child == 0:
        os._exit(0 if lines.execute("CLIENT", "ID") != own else 1)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    assert lines.execute("CLIENT", "ID") == own


def test_a_burst_leaves_connections_to_others_when_it_is_over(
    client: redis.Redis, redis_url: str, namespace: str
):
    few = redis.BlockingConnectionPool.from_url(redis_url, max_connections=8, timeout=2)
    with redis.Redis(connection_pool=few) as crowded, ThreadPoolExecutor(8) as pool:
        lines, key = Lines(crowded), f"{namespace}:burst"
        waiting = [pool.submit(lines.execute, "BLPOP", key, 10) for _ in range(8)]
        wait_until(lambda: len(few._connections) == 8)
        client.rpush(key, *range(8))
        assert all(each.result() for each in waiting)
        assert crowded.ping()
        assert len(lines._free) == 2
