"""Addresses that name sentinels: what they say, what is wrong with them, and what is shown of them."""

import pytest

from worker_service.jobs.errors import StoreUnavailable
from worker_service.store import check_server, connect, shown_url
from worker_service.store.sentinels import SentinelAddress


def test_all_parts_are_read():
    url = (
        "redis+sentinel://ann:p%40ss@one:1,two,[::1]:3/main/2?sentinel_password=other&health_check_interval=5"
    )
    found = SentinelAddress.read(url)
    assert found.sentinels == [("one", 1), ("two", 26379), ("::1", 3)]
    assert found.service == "main"
    assert found.of_server == {"username": "ann", "password": "p@ss", "db": 2, "health_check_interval": 5}
    assert found.of_sentinels == {"password": "other"}
    assert not found.is_encrypted


def test_certificates_are_for_servers_and_sentinels():
    found = SentinelAddress.read("rediss+sentinel://one/main?ssl_ca_certs=/ca.pem")
    assert found.of_server == {"ssl_ca_certs": "/ca.pem"}
    assert found.of_sentinels == {"ssl": True, "ssl_ca_certs": "/ca.pem"}
    assert found.is_encrypted


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("redis+sentinel://one:1", "name the service"),
        ("redis+sentinel://one:1/", "name the service"),
        ("redis+sentinel:///main", "name the sentinels"),
        ("redis+sentinel://one:x/main", "name the sentinels"),
        ("redis+sentinel://one,,two/main", "name the sentinels"),
    ],
)
def test_what_is_wrong_is_told_with_an_example(url: str, says: str):
    with pytest.raises(ValueError, match=says) as told:
        SentinelAddress.read(url)
    assert "redis+sentinel://host:port,host:port/service/0" in str(told.value)
    with pytest.raises(StoreUnavailable, match=says):
        check_server(url)


def test_no_password_is_shown():
    url = "redis+sentinel://ann:secret@one:1,two:2/main/0?sentinel_password=secret&ssl_password=secret&x=1"
    assert (
        shown_url(url)
        == "redis+sentinel://ann:***@one:1,two:2/main/0?sentinel_password=***&ssl_password=***&x=1"
    )


def test_sentinels_that_are_away_are_named():
    with pytest.raises(
        StoreUnavailable, match=r"main \(as the sentinels at 127\.0\.0\.1:1, localhost:2 say\)"
    ):
        check_server("redis+sentinel://127.0.0.1:1,localhost:2/main")


def test_every_connection_of_a_client_waits_for_its_turn():
    client = connect("redis+sentinel://127.0.0.1:1/main")
    assert type(client.connection_pool).__name__ == "BlockingConnectionPool"
    client.close()
