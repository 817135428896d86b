"""The settings of a process: what is wrong is named, with what would be right."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from worker_service.settings import WrongSettings, settings


@pytest.fixture(autouse=True)
def read_anew(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The settings are kept once they were read."""
    settings.cache_clear()
    yield
    settings.cache_clear()


def test_unknown_name_is_refused_with_the_nearest(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("JOBS_REDIS_ULR", "redis://somewhere")
    with pytest.raises(WrongSettings, match=r"No setting JOBS_REDIS_ULR. Did you mean 'JOBS_REDIS_URL'"):
        settings()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("JOBS_REDIS_SERVICE_HOST", "10.0.0.1"),
        ("JOBS_REDIS_SERVICE_PORT_TCP", "6379"),
        ("JOBS_REDIS_PORT", "tcp://10.0.0.1:6379"),
        ("JOBS_PORT_6379_TCP_ADDR", "10.0.0.1"),
    ],
)
def test_names_that_kubernetes_injects_are_ignored(monkeypatch: pytest.MonkeyPatch, name: str, value: str):
    monkeypatch.setenv(name, value)
    settings()


def test_all_wrong_values_are_named_at_once(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("JOBS_HTTP_PORT", "web")
    monkeypatch.setenv("JOBS_NAMESPACE", "My Jobs")
    monkeypatch.setenv("REDIS_URL", "http://localhost")
    with pytest.raises(WrongSettings) as caught:
        settings()
    assert [line.partition(":")[0] for line in str(caught.value).splitlines()] == [
        "JOBS_REDIS_URL",
        "JOBS_NAMESPACE",
        "JOBS_HTTP_PORT",
    ]
    assert "use 1 to 32 of a-z, 0-9 and '-'" in str(caught.value)


def test_secret_may_stand_in_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    (tmp_path / "key").write_text("open-sesame-open\n")
    monkeypatch.setenv("JOBS_ADMIN_KEY_FILE", str(tmp_path / "key"))
    found = settings()
    assert found.admin_key is not None
    assert found.admin_key.get_secret_value() == "open-sesame-open"
    assert "sesame" not in repr(found)


@pytest.mark.parametrize(
    ("key", "why"),
    [
        ("", "shorter than 16"),
        ("k" * 15, "shorter than 16"),
        ("with spaces in it", "spaces"),
        ("é" * 16, "ASCII"),
    ],
)
def test_weak_or_unsendable_key_is_refused_and_not_repeated(
    monkeypatch: pytest.MonkeyPatch, key: str, why: str
):
    monkeypatch.setenv("JOBS_ADMIN_KEY", key)
    with pytest.raises(WrongSettings, match=f"JOBS_ADMIN_KEY: .*{why}") as caught:
        settings()
    assert "token_hex" in str(caught.value)
    assert not key or key not in str(caught.value)


def test_secret_in_two_places_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    (tmp_path / "key").write_text("a")
    monkeypatch.setenv("JOBS_ADMIN_KEY_FILE", str(tmp_path / "key"))
    monkeypatch.setenv("JOBS_ADMIN_KEY", "b")
    with pytest.raises(WrongSettings, match="JOBS_ADMIN_KEY and JOBS_ADMIN_KEY_FILE are both set"):
        settings()


def test_missing_file_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("JOBS_REDIS_URL_FILE", str(tmp_path / "none"))
    with pytest.raises(WrongSettings, match=r"JOBS_REDIS_URL_FILE: .*No such file"):
        settings()


def test_routes_are_pairs(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("JOBS_ROUTES", "add=math, send_email = mail")
    assert settings().routes == {"add": "math", "send_email": "mail"}
    settings.cache_clear()
    monkeypatch.setenv("JOBS_ROUTES", "add")
    with pytest.raises(WrongSettings, match="JOBS_ROUTES: 'add': write actor=queue"):
        settings()


def test_networks_that_jobs_may_reach_are_addresses_or_networks(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("JOBS_OUTBOUND_ALLOW", "127.0.0.1, 10.1.0.0/16,fd00::/8")
    assert [str(network) for network in settings().outbound_allow] == [
        "127.0.0.1/32",
        "10.1.0.0/16",
        "fd00::/8",
    ]
    settings.cache_clear()
    monkeypatch.setenv("JOBS_OUTBOUND_ALLOW", "intranet.example")
    with pytest.raises(WrongSettings, match=r"JOBS_OUTBOUND_ALLOW: .*does not appear"):
        settings()


def test_addresses_of_the_report_are_checked_at_the_start(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("JOBS_REPORT_TO", "ann@example.org, Bob <bob@example.org>")
    assert settings().report_to == ("ann@example.org", "Bob <bob@example.org>")
    settings.cache_clear()
    monkeypatch.setenv("JOBS_REPORT_TO", "ann@example.org,bob")
    with pytest.raises(WrongSettings, match=r"JOBS_REPORT_TO: .*'bob' is no mail address"):
        settings()
