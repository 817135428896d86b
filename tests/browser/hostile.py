"""What comes from outside and might break a page: markup, long and large values, text from right to left."""

import time

from tests.store.builders import a_job
from tests.up.service import RunningService
from tests.waiting import wait_until
from worker_service.settings import Settings
from worker_service.store import Store, connect

MARKUP = "<script>alert('x')</script>\"><img src=x onerror=alert(1)>{{7*7}}</td></table>"
RIGHT_TO_LEFT = "\u202e\u05e9\u05dc\u05d5\u05dd\u202c \u0645\u0631\u062d\u0628\u0627"
LONG = "x" * 10_000
HUGE = 2**80 + 1
NAME = "a/b .c<i>?&#\u202e\u05e9\u05dc\u05d5\u05dd"
"""Of a queue, an actor and a job, which only programs beside the service can make."""


def load(service: RunningService) -> None:
    """Fill a service with it."""
    for value in (
        MARKUP,
        RIGHT_TO_LEFT,
        LONG,
        HUGE,
        {MARKUP: [MARKUP, {"deep": [1.5, None, True]}], RIGHT_TO_LEFT: list(range(300))},
    ):
        service.submit("succeed", value=value)
    for message in (MARKUP, RIGHT_TO_LEFT, LONG, "first line\nsecond"):
        service.submit("fail", message=message)
    post(service, "/v1/queues/asleep/pause", {"reason": MARKUP})
    for number in range(60):
        service.submit("wait", number=number)
    tags = {"tags": ["<b>", '"x"'], "metadata": {MARKUP: MARKUP}, "delay_ms": 3_600_000}
    post(service, "/v1/jobs", {"actor": "succeed", "args": {"value": 1}, **tags})
    post(service, "/v1/jobs", {"actor": "order", "args": {"customer": "Ann", "card": "4000123", "amount": 3}})
    put_schedule(
        service, "every-minute", {"actor": "succeed", "cron": "* * * * *", "args": {"value": MARKUP}}
    )
    put_schedule(service, "at-nine", {"actor": "wait", "cron": "0 9 * * 1-5", "timezone": "Europe/Berlin"})
    post(service, "/v1/schedules/at-nine/pause", {"note": MARKUP})
    put_strange(service)
    wait_until(lambda: len(listed(service, "dead")) >= 4 and len(listed(service, "succeeded")) >= 6)


def listed(service: RunningService, state: str) -> list[dict[str, object]]:
    """Jobs in a state."""
    found: list[dict[str, object]] = service.http.get("/v1/jobs", params={"state": state}).json()["items"]
    return found


def post(service: RunningService, path: str, body: dict[str, object]) -> None:
    """Ask for something that has to be granted."""
    answer = service.http.post(path, json=body)
    assert answer.status_code < 300, answer.text


def put_schedule(service: RunningService, name: str, definition: dict[str, object]) -> None:
    """Make a schedule."""
    answer = service.http.put(f"/v1/schedules/{name}", json=definition)
    assert answer.status_code < 300, answer.text


def put_strange(service: RunningService) -> None:
    """Into the store itself, with names that the HTTP interface would refuse."""
    client = connect(Settings(data_dir=service.folder / "data").redis_url)
    store = Store(client, "jobs")
    now_ms = time.time_ns() // 1_000_000
    store.submit([a_job(NAME, queue=NAME, actor=NAME)], now_ms=now_ms)
    store.open_session(
        MARKUP, 10 * 60_000, {"host": MARKUP, "pid": MARKUP, "threads": MARKUP, "queues": NAME}, now_ms=now_ms
    )
    client.close()
