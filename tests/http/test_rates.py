"""GET /v1/rates: what was counted over time, for charts."""

import time

import pytest
from flask.testing import FlaskClient

from tests.store.builders import claimed, finish
from worker_service.broker.broker import JobBroker
from worker_service.store import Rates
from worker_service.store.histogram import BOUNDS_MS, mean_ms, quantile_ms


@pytest.fixture
def now_ms(broker: JobBroker) -> int:
    """Now: jobs of `add` have ended, one five hours ago and two in this minute, and one of `typed`."""
    now = time.time_ns() // 1_000_000
    rates = Rates(broker.store.client, broker.store.keys)
    rates.roll_up(now_ms=now - 5 * 3_600_000)
    for actor, ago_ms in (("add", 5 * 3_600_000), ("add", 0), ("add", 0), ("typed", 0)):
        job = claimed(broker.store, session=f"s{ago_ms}", actor=actor, now_ms=now - ago_ms - 40)
        finish(broker.store, job, "complete", now_ms=now - ago_ms)
    assert rates.roll_up(now_ms=now)
    return now


@pytest.mark.usefixtures("now_ms")
@pytest.mark.parametrize(
    ("wanted", "spans", "span_ms", "succeeded"),
    [
        ("1h", 60, 60_000, 3),
        ("8h", 48, 600_000, 4),
        ("24h", 144, 600_000, 4),
        ("72h", 72, 3_600_000, 4),
    ],
)
def test_range_is_a_bounded_number_of_equal_spans(
    client: FlaskClient, wanted: str, spans: int, span_ms: int, succeeded: int
):
    found = client.get(f"/v1/rates?range={wanted}").get_json()
    assert (found["actor"], found["range"], found["span_ms"]) == (None, wanted, span_ms)
    assert len(found["items"]) == spans
    assert sum(each["succeeded"] for each in found["items"]) == succeeded
    begins = [each["at"] for each in found["items"]]
    assert begins == sorted(set(begins))


@pytest.mark.usefixtures("now_ms")
def test_actor_is_told_by_itself_with_its_durations(client: FlaskClient):
    found = client.get("/v1/rates?actor=add").get_json()
    newest = [each for each in found["items"] if each["succeeded"]][-1]
    assert (newest["succeeded"], newest["mean_run_ms"]) == (2, 40)
    assert 25 < newest["p50_run_ms"] < newest["p95_run_ms"] <= 50
    assert found["items"][0]["p95_wait_ms"] is None


def test_nothing_counted_is_zero_everywhere(client: FlaskClient):
    found = client.get("/v1/rates?range=8h").get_json()
    assert {each["enqueued"] for each in found["items"]} == {0}


@pytest.mark.parametrize(
    ("query", "status", "told"),
    [
        ("range=2h", 422, "/query/range"),
        ("span=1h", 422, "/query/span"),
        ("actor=ad", 404, "Did you mean 'add'?"),
    ],
)
def test_what_there_is_not_is_named(client: FlaskClient, query: str, status: int, told: str):
    answer = client.get(f"/v1/rates?{query}")
    assert answer.status_code == status
    assert told in answer.get_data(as_text=True)


class TestQuantiles:
    def test_between_two_bounds_durations_are_spread_evenly(self):
        counts = {"run_le_100": 10, "run_le_250": 10}
        assert quantile_ms(counts, "run", 0.25) == 75
        assert quantile_ms(counts, "run", 0.5) == 100
        assert quantile_ms(counts, "run", 0.75) == 175

    def test_above_the_last_bound_it_is_the_last_bound(self):
        assert quantile_ms({"run_le_inf": 1}, "run", 0.95) == BOUNDS_MS[-1]

    def test_without_one_there_is_none(self):
        assert quantile_ms({"wait_le_5": 1}, "run", 0.5) is None
        assert mean_ms({}, "run") is None
