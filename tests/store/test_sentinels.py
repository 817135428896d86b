"""Servers behind sentinels: what is said of those that are away, and what is shown of their addresses.

What becomes of a service when its primary dies: tests/process/test_failover.py.
"""

import signal
import time
from collections.abc import Iterator

import pytest
import redis

from tests.process.sentinels import HOST, PASSWORD, SENTINELS_PASSWORD, SERVICE, Sentinels
from worker_service.jobs.errors import StoreUnavailable
from worker_service.store import check_server, connect, shown_url
from worker_service.store.line import Line


@pytest.fixture(scope="module")
def sentinels(server_binary: str | None) -> Iterator[Sentinels]:
    """Three of them and their servers."""
    running = Sentinels(server_binary)
    yield running
    running.close()


def refusal(url: str) -> str:
    with pytest.raises(StoreUnavailable) as told:
        check_server(url)
    assert PASSWORD not in str(told.value)
    assert SENTINELS_PASSWORD not in str(told.value)
    return str(told.value)


def test_no_password_is_shown():
    url = "redis+sentinel://ann:secret@one:1,two:2/main/0?sentinel_password=secret&ssl_password=secret&x=1"
    assert (
        shown_url(url)
        == "redis+sentinel://ann:***@one:1,two:2/main/0?sentinel_password=***&ssl_password=***&x=1"
    )


def test_sentinels_that_are_away_are_named():
    said = refusal("redis+sentinel://127.0.0.1:1,localhost:2/main")
    assert "main (as the sentinels at 127.0.0.1:1, localhost:2 say)" in said
    assert "127.0.0.1:1 says: Error 111" in said
    assert "localhost:2 says: " in said


def test_every_connection_of_a_client_waits_for_its_turn():
    client = connect("redis+sentinel://127.0.0.1:1/main")
    assert type(client.connection_pool).__name__ == "BlockingConnectionPool"
    client.close()


def test_options_of_the_address_count_more_than_ours():
    client = connect("redis+sentinel://127.0.0.1:1/main?socket_connect_timeout=1.5")
    assert client.connection_pool.connection_kwargs["socket_connect_timeout"] == 1.5
    client.close()


def test_either_password_that_is_wrong_is_told(sentinels: Sentinels):
    check_server(sentinels.url)
    assert "refuses the user or the password" in refusal(sentinels.url.replace(PASSWORD, "wrong"))
    for url in (sentinels.url.replace(SENTINELS_PASSWORD, "wrong"), sentinels.url.partition("?")[0]):
        assert "refuses the sentinel_password" in refusal(url)


def test_service_that_they_do_not_know_is_told(sentinels: Sentinels):
    assert "No such master with that name" in refusal(sentinels.url.replace(SERVICE, "other"))


def test_user_of_the_sentinels_needs_to_ask_for_the_primary_only(sentinels: Sentinels):
    for port in sentinels.sentinel_ports:
        with redis.Redis(HOST, port, password=SENTINELS_PASSWORD) as sentinel:
            sentinel.execute_command("ACL", "SETUSER", "asks", "on", ">secret", "+sentinel|master")
    own = "sentinel_username=asks&sentinel_password=secret"
    check_server(f"{sentinels.url.partition('?')[0]}?{own}")


def test_sentinels_that_are_dead_or_silent_are_passed_over_at_once(sentinels: Sentinels):
    with sentinels.silenced(sentinels.sentinel_ports[0]), connect(sentinels.url) as client:
        begin = time.monotonic()
        assert client.ping()
        assert 0.9 < time.monotonic() - begin < 3
        client.connection_pool.disconnect()
        begin = time.monotonic()
        assert client.ping()  # the one that answered is asked first
        assert time.monotonic() - begin < 0.9


def test_late_answer_is_not_taken_for_the_next_one(sentinels: Sentinels):
    with connect(sentinels.url, timeout=0.2) as client:
        client.ping()
        with sentinels.silenced(sentinels.primary_port()), pytest.raises(redis.TimeoutError):
            client.echo("first")
        assert client.echo("second") == b"second"


def test_lines_to_a_primary_that_was_cut_off_are_lost_as_soon_as_one_knows_it(server_binary: str | None):
    sentinels = Sentinels(server_binary)
    try:
        with connect(sentinels.url, timeout=1) as client:
            first, second, only_once = Line(client), Line(client), Line(client, tries=1)
            for line in (first, second, only_once):
                line.execute("PING")
            sentinels.lose_host(signal.SIGSTOP)
            assert first.execute("PING") == b"PONG"  # after it has waited in vain
            begin = time.monotonic()
            assert second.execute("PING") == b"PONG"
            with pytest.raises(redis.ConnectionError, match="Another server"):
                only_once.execute("PING")
            assert time.monotonic() - begin < 0.9
    finally:
        sentinels.close()
