"""Retry-After: what a server asks for, and never less."""

from datetime import UTC, datetime, timedelta
from email.message import Message
from email.utils import format_datetime
from types import SimpleNamespace
from urllib.error import HTTPError

import pytest

from worker_service.jobs.errors import RetryLater
from worker_service.jobs.retry_after import respect_retry_after, retry_after_ms

NOW = 1_800_000_000.25  # Fri, 15 Jan 2027 08:00:00.25 GMT


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("120", 120_000),
        (" 0 ", 0),
        ("99999999999999999999", 10**12),
        ("Fri, 15 Jan 2027 08:00:10 GMT", 9_750),
        ("Fri, 15 Jan 2027 08:00:10 -0000", 9_750),
        ("Friday, 15-Jan-27 08:00:10 GMT", 9_750),
        ("Fri, 15 Jan 2027 07:00:00 GMT", 0),
    ],
)
def test_seconds_and_dates_are_read(header: str, expected: int):
    assert retry_after_ms(header, NOW) == expected


@pytest.mark.parametrize("header", [None, "", "soon", "-5", "1.5", "Fri", "Fri, 99 Jan 2027 08:00:10 GMT"])
def test_what_cannot_be_read_asks_for_nothing(header: str | None):
    assert retry_after_ms(header, NOW) is None


def a_response(status: int, **headers: str) -> SimpleNamespace:
    """As an HTTP client returns it."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return SimpleNamespace(status_code=status, headers=named)


@pytest.mark.parametrize("status", [429, 503])
def test_job_waits_at_least_as_long_and_at_most_a_tenth_more(status: int):
    for _ in range(200):
        with pytest.raises(RetryLater) as caught:
            respect_retry_after(a_response(status, Retry_After="100"))
        assert 100_000 <= caught.value.delay_ms <= 110_000


def test_error_of_urllib_is_a_response_too():
    headers = Message()
    headers["Retry-After"] = "100"
    with pytest.raises(RetryLater):
        respect_retry_after(HTTPError("http://partner", 503, "busy", headers, None))


@pytest.mark.parametrize("year", [2020, 2040])
def test_date_is_measured_from_the_server_s_own(year: int):
    """Whatever this machine's clock says."""
    response = a_response(
        429, Date=f"Fri, 15 Jan {year} 08:00:00 GMT", Retry_After=f"Fri, 15 Jan {year} 08:01:00 GMT"
    )
    with pytest.raises(RetryLater) as caught:
        respect_retry_after(response)
    assert 60_000 <= caught.value.delay_ms <= 66_000


@pytest.mark.parametrize("headers", [{}, {"Date": "yesterday"}])
def test_date_of_a_server_that_tells_no_time_is_measured_from_now(headers: dict[str, str]):
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    with pytest.raises(RetryLater) as caught:
        respect_retry_after(a_response(429, Retry_After=later, **headers))
    assert 50_000 <= caught.value.delay_ms <= 66_000


def test_it_waits_at_most_a_day():
    with pytest.raises(RetryLater) as caught:
        respect_retry_after(a_response(429, Retry_After="10000000"))
    assert caught.value.delay_ms <= 24 * 3600 * 1000


@pytest.mark.parametrize(
    "response", [a_response(200, Retry_After="5"), a_response(503), a_response(500, Retry_After="5")]
)
def test_other_answers_are_the_caller_s_business(response: SimpleNamespace):
    respect_retry_after(response)
