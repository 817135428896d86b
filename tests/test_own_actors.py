"""docs/own-actors.md says what is so of options. A failing test prints what is wrong with the page."""

import re
from pathlib import Path
from typing import Any

import dramatiq
import pytest

from worker_service.broker.broker import JobBroker
from worker_service.broker.process import DEFAULT_TIME_LIMIT_MS
from worker_service.broker.submission import DEFAULT_MAX_ATTEMPTS, DEFAULT_MAX_CRASHES, STORE_RESULT
from worker_service.jobs.backoff import BASE_MS, CAP_MS
from worker_service.jobs.errors import InvalidJob
from worker_service.middleware import default_middleware
from worker_service.settings import Settings
from worker_service.testing import simulated

PAGE = (Path(__file__).parents[1] / "docs" / "own-actors.md").read_text()
OF_DRAMATIQ = {"actor_name", "queue_name", "priority"}
"""What ``dramatiq.actor`` itself takes, beside what middleware adds."""

DEFAULTS = {
    "max_attempts": DEFAULT_MAX_ATTEMPTS,
    "max_retries": DEFAULT_MAX_ATTEMPTS - 1,
    "max_crashes": DEFAULT_MAX_CRASHES,
    "time_limit": DEFAULT_TIME_LIMIT_MS,
    "min_backoff": BASE_MS,
    "max_backoff": CAP_MS,
    STORE_RESULT: True,
}


@pytest.fixture
def broker() -> JobBroker:
    return JobBroker(Settings(redis_url="redis://127.0.0.1:1"), default_middleware())


def table() -> dict[str, str]:
    """Options with their defaults, as the page has them."""
    found = re.search(r"<!-- options -->\n(.*)<!-- end of options -->", PAGE, re.DOTALL)
    assert found
    return dict(re.findall(r"^\| `(\w+)` \| (.*?) ?\|", found[1], re.MULTILINE))


def test_table_has_the_options_of_the_code(broker: JobBroker):
    assert set(table()) == broker.actor_options | OF_DRAMATIQ


def test_table_has_the_defaults_of_the_code():
    shown = table()
    assert {name: shown[name] for name in DEFAULTS} == {name: str(value) for name, value in DEFAULTS.items()}


@pytest.mark.parametrize("option", ["every", "periodic", "schedule", "retry_when", "throws", "queue_name"])
def test_what_belongs_to_the_declaration_is_refused_for_one_job(broker: JobBroker, option: str):
    declare: Any = dramatiq.actor(broker=broker)
    greet = declare(lambda: None)
    with simulated(broker) as jobs, pytest.raises(InvalidJob, match=option):
        greet.send_with_options(**{option: 1})
    assert jobs.all == []
