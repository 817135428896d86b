"""Servers behind sentinels: what is said of those that are away, and what is shown of their addresses.

What becomes of a service when its primary dies: tests/process/test_failover.py.
"""

import time
from collections.abc import Iterator

import pytest

from tests.process.sentinels import PASSWORD, SENTINELS_PASSWORD, SERVICE, Sentinels
from worker_service.jobs.errors import StoreUnavailable
from worker_service.store import check_server, connect, shown_url


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


def test_sentinels_that_are_dead_or_silent_are_passed_over_at_once(sentinels: Sentinels):
    with sentinels.silenced(0), connect(sentinels.url) as client:
        begin = time.monotonic()
        assert client.ping()
        assert 0.9 < time.monotonic() - begin < 3
        client.connection_pool.disconnect()
        begin = time.monotonic()
        assert client.ping()  # the one that answered is asked first
        assert time.monotonic() - begin < 0.9
