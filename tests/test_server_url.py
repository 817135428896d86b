"""Addresses of servers: what those say that name sentinels, and what is wrong with others."""

import pytest

from worker_service.server_url import SentinelUrl, check_server_url
from worker_service.settings import WrongSettings, settings

SECRET = "s3cret"


def test_all_parts_are_read():
    url = (
        "redis+sentinel://ann:p%40ss@one:1,two,[::1]:3/main/2?sentinel_password=other&health_check_interval=5"
    )
    assert SentinelUrl.read(url) == SentinelUrl(
        sentinels=[("one", 1), ("two", 26379), ("::1", 3)],
        service="main",
        server="redis://ann:p%40ss@server/2?health_check_interval=5",
        login={"password": "other"},
        is_encrypted=False,
    )


def test_certificates_are_the_servers():
    found = SentinelUrl.read("rediss+sentinel://one/main?ssl_ca_certs=/ca.pem")
    assert found.server == "rediss://server/?ssl_ca_certs=%2Fca.pem"
    assert found.is_encrypted


@pytest.mark.parametrize(
    "url",
    [
        "redis://127.0.0.1:6379/0",
        "redis://ann:s%2F@one",
        "redis://one/0/",
        "rediss://[::1]:1/?db=2&ssl_ca_certs=/ca.pem",
        "unix:///tmp/server.sock?db=0",
        "redis+sentinel://one/main",
        "redis+sentinel://one,two:1/main/0/",
    ],
)
def test_right_ones_are_taken(url: str):
    check_server_url(url)


@pytest.mark.parametrize(
    ("url", "says"),
    [
        (f"http://:{SECRET}@one", "begins with none of redis://"),
        (f"redis://:{SECRET}@one:x/0", "port is no number"),
        (f"redis://:{SECRET}/2@one:1/0", "port is no number"),
        (f"redis://:12/{SECRET}@one:1/0", "name the database"),
        (f"redis://:12#{SECRET}@one:1/0", "is no address"),
        (f"redis://:{SECRET}@one/main", "name the database"),
        (f"redis://:{SECRET}@[::1/0", "is no address"),
        (f"redis+sentinel://:{SECRET}@one:1", "name the service"),
        (f"redis+sentinel://:{SECRET}@one:1/", "name the service"),
        (f"redis+sentinel://:{SECRET}@one:1/main/x", "name the database"),
        (f"redis+sentinel://:{SECRET}@/main", "name the sentinels"),
        (f"redis+sentinel://:{SECRET}@one:x/main", "name the sentinels"),
        (f"redis+sentinel://:{SECRET}/2@one:1/main", "name the sentinels"),
        (f"redis+sentinel://:{SECRET}@one,,two/main", "name the sentinels"),
        (f"redis+sentinel://one/main?sentinel_pasword={SECRET}", "Did you mean 'sentinel_password'"),
    ],
)
def test_every_process_says_at_its_start_what_is_wrong_and_tells_no_secret(
    url: str, says: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("JOBS_REDIS_URL", url)
    settings.cache_clear()
    with pytest.raises(WrongSettings, match=says) as told:
        settings()
    settings.cache_clear()
    assert SECRET not in str(told.value)
    assert str(told.value).startswith("JOBS_REDIS_URL: ")
