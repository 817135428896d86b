"""The shop's reconcile: finds every difference, and goes on where a killed attempt was."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.examples.running import RunningShop
from tests.waiting import wait_until

pytestmark = [pytest.mark.sql, pytest.mark.xdist_group("shop")]

Rows = Sequence[Sequence[object]]


def write(path: Path, *rows: Sequence[object]) -> str:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
    return f"csv:{path.name}"


def differences(shop: RunningShop, job: dict[str, Any]) -> dict[str, str]:
    with (shop.files / "reconciled" / job["result"]["report"]).open(newline="", encoding="utf-8") as file:
        return {row["key"]: row["kind"] for row in csv.DictReader(file)}


def two_files(shop: RunningShop, name: str, count: int) -> tuple[str, str]:
    """Two files of many rows in opposite order that differ in four keys."""
    rows = [(f"r{number}", number * 10, "é\nin two lines") for number in range(count)]
    bank = [*rows[1:], ("r9x", 1, ""), ("twice", 1, ""), ("twice", 1, "")]
    ours = [(key, note, 7 if key == "r5" else cents) for key, cents, note in reversed(rows)]
    return (
        write(shop.files / f"bank-{name}.csv", ("reference", "cents", "note"), *bank),
        write(shop.files / f"ours-{name}.csv", ("id", "note", "cents"), *ours, ("twice", "", 1)),
    )


FOUND = {"r0": "only_in_target", "r5": "differs", "r9x": "only_in_source", "twice": "differs"}


def test_two_files_are_compared_by_key_and_name_of_column(shop: RunningShop):
    source, target = two_files(shop, "plain", 2_500)

    job = shop.do("reconcile", source=source, target=target)

    assert job["state"] == "succeeded", job["error"]
    assert differences(shop, job) == FOUND
    assert job["result"] == {
        "compared": 2_502,
        "only_in_source": 1,
        "only_in_target": 1,
        "differs": 2,
        "report": f"{job['id']}.csv",
    }
    assert job["progress"] == {"percent": 100, "note": "2502 of 2502 keys compared"}
    assert not list((shop.files / "reconciled").glob("*.sqlite"))


def test_file_is_compared_with_a_table(shop: RunningShop):
    user = shop.user("rita", customer="cus_9", card="pm_card_visa")
    for number in range(3):
        shop.do("charge_user", user_id=user, amount=100, currency="eur", idempotency_key=f"rita-{number}")
    with shop.engine.connect() as connection:
        booked = connection.exec_driver_sql("SELECT payment, amount, currency FROM ledger").all()
    mine = [row for row in booked if row[1] == 100]
    others = [row for row in booked if row[1] != 100]
    bank = [*others, mine[0], (mine[1][0], 99, "eur"), ("pi_unknown", 1, "eur")]
    source = write(shop.files / "bank.csv", ("payment", "amount", "currency"), *map(tuple, bank))

    job = shop.ended(
        shop.http.post("/reconciliations", json={"source": source, "target": "sql:ledger"}).json()["job"]
    )

    assert differences(shop, job) == {
        mine[1][0]: "differs",
        mine[2][0]: "only_in_target",
        "pi_unknown": "only_in_source",
    }


@pytest.mark.parametrize("line", [20_000, 40_000, 60_000])
def test_killed_it_is_gone_on_with_and_finds_the_same(shop: RunningShop, line: int):
    source, target = two_files(shop, f"kill-{line}", 4_500)

    job = shop.do("reconcile", source=source, target=target)

    assert job["crashes"] == 1
    assert differences(shop, job) == FOUND
    log = shop.jobs.http.get(f"/v1/jobs/{job['id']}/log").json()
    first, second = [each["line"] for each in log["items"]]
    assert first == "begins after 0 rows"
    assert int(second.split()[2]) > 0


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("csv:../shop.db", "no file"),
        ("csv:nothing.csv", "no file"),
        ("sql:sqlite_master", "no source"),
        ("csv:broken.csv", "after byte"),
        ("csv:empty.csv", "is empty"),
    ],
)
def test_what_cannot_be_read_is_a_permanent_error(shop: RunningShop, source: str, why: str):
    (shop.files / "broken.csv").write_bytes(b"payment,amount\npi_1,\xff\xfe\n")
    (shop.files / "empty.csv").write_bytes(b"")

    job = shop.do("reconcile", source=source, target="sql:ledger")

    assert (job["state"], job["attempt"]) == ("dead", 1)
    assert why in job["error"]["message"]


def test_progress_is_shown_while_it_works(shop: RunningShop):
    source, target = two_files(shop, "long", 60_000)
    path = shop.jobs.submit("reconcile", source=source, target=target)

    seen: set[str] = set()

    def look() -> bool:
        job = shop.jobs.job(path)
        if job["progress"]:
            seen.add(job["progress"]["note"].strip("0123456789 of"))
        return job["finished_at"] is not None

    wait_until(look, timeout=60)
    assert {"rows of the source read", "rows of the target read", "keys compared"} <= seen
