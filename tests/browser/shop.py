"""A made-up shop's service on an ordinary day, for pictures."""

import math
import time
from typing import Any

from tests.up.service import RunningService
from tests.waiting import wait_until
from worker_service.settings import Settings
from worker_service.store import Store, connect

MINUTES = 60
ACTORS = {"charge_card": 40, "send_receipt": 38, "resize": 90}
"""And about how many jobs of each there are in a minute."""


def open_shop(service: RunningService) -> None:
    """Let jobs of all kinds and states come about."""
    remember_an_hour(service)
    for order in range(1, 40):
        submit(
            service, "charge_card", {"order": order, "amount": order * 3.5}, tags=[f"customer:{order % 5}"]
        )
        submit(service, "send_receipt", {"order": order, "to": f"customer{order}@example.org"})
    for number in range(30):
        submit(service, "resize", {"path": f"shoes/{number}.jpg", "width": 320, "height": 240})
    submit(service, "monthly_report", {"month": "2026-10"})
    submit(service, "monthly_report", {"month": "2026-09"}, delay_ms=5 * 3_600_000)
    make_schedules(service)
    service.http.post("/v1/queues/images/pause", json={"reason": "The disk of the image store is replaced."})
    for number in range(12):
        submit(service, "resize", {"path": f"hats/{number}.jpg", "width": 640, "height": 480})
    wait_until(lambda: service.http.get("/v1/stats").json()["dead"] >= 5)


def make_schedules(service: RunningService) -> None:
    """Two of them, one with ticks that were."""
    for name, actor, cron in (
        ("nightly-report", "monthly_report", "30 2 * * *"),
        ("product-pictures", "resize", "*/15 8-18 * * mon-fri"),
    ):
        args: dict[str, Any] = (
            {"month": "2026-11"}
            if actor == "monthly_report"
            else {"path": "new.jpg", "width": 320, "height": 240}
        )
        definition = {"actor": actor, "args": args, "cron": cron, "timezone": "Europe/Berlin"}
        assert service.http.put(f"/v1/schedules/{name}", json=definition).status_code == 201
    morning = {"from": "2026-11-26T07:00:00Z", "to": "2026-11-26T11:00:00Z"}
    assert service.http.post("/v1/schedules/product-pictures/backfill", json=morning).status_code == 200


def submit(service: RunningService, actor: str, args: dict[str, Any], **options: Any) -> None:
    """Send a job."""
    answer = service.http.post("/v1/jobs", json={"actor": actor, "args": args, **options})
    assert answer.status_code == 202, answer.text


def remember_an_hour(service: RunningService) -> None:
    """Counters of an hour that nobody has waited for."""
    client = connect(Settings(data_dir=service.folder / "data").redis_url)
    keys = Store(client, "jobs").keys
    this_minute = time.time_ns() // 60_000_000_000
    for minute in range(this_minute - MINUTES, this_minute):
        swing = 1 + 0.4 * math.sin(minute / 6) + 0.15 * math.sin(minute * 2.3)
        total: dict[str, int] = {}
        for actor, usual in ACTORS.items():
            number = int(usual * swing)
            dead = int(number / 25) if minute % 17 in (3, 4, 5) else 0
            counts = {
                "enqueued": number, "started": number, "succeeded": number - dead, "dead": dead,
                "retried": int(usual / 20 * swing), "run_ms": number * 40, "run_le_50": number, "wait_ms": number * 4,
                "wait_le_5": number * 2 // 3, "wait_le_25": number // 4, "wait_le_100": number // 12,
            }  # fmt: skip
            write(client, keys.minute(actor, minute), counts)
            total = {name: total.get(name, 0) + by for name, by in counts.items()}
        write(client, keys.minute("", minute), total)
    client.close()


def write(client: Any, key: str, counts: dict[str, int]) -> None:
    client.hset(key, mapping=counts)
    client.expire(key, 6 * 3600)
