"""A schedule is made and changed with a form, which says what is wrong beside each field."""

import html
import re
from typing import Annotated, Any

import dramatiq
import pytest
from flask.testing import FlaskClient

from tests.http.test_dashboard import Page, page
from tests.http.test_dashboard_actions import do
from worker_service import Sensitive
from worker_service.broker.broker import JobBroker
from worker_service.dashboard.durations import read_duration, typed_duration

NINE = {"name": "nine", "actor": "add", "when": "cron", "cron": "0 9 * * *", "arg.x": "1"}
EVERYTHING = {
    "actor": "typed",
    "args": {
        "day": "2030-01-31",
        "id": "12345678-1234-5678-1234-567812345678",
        "price": "1.50",
        "size": "small",
        "home": {"street": "Main\nSide", "number": 2**80},
    },
    "every_ms": 5_400_250,
    "start_at": "2998-01-01T00:00:00.123Z",
    "end_at": "2999-01-01T00:00:00.000Z",
    "max_runs": 10,
    "overlap": "buffer_one",
    "catch_up": "all",
    "catch_up_window_ms": 0,
    "jitter_ms": 300_000,
    "expires_after_ms": 600_000,
}


def definition(client: FlaskClient, name: str) -> dict[str, Any]:
    found: dict[str, Any] = client.get(f"/v1/schedules/{name}").get_json()["definition"]
    return found


def typed(found: Page) -> dict[str, str]:
    """What a browser would send of the form with all fields."""
    form: dict[str, str] = {}
    select = ""
    for tag, each in found.elements:
        name, value = each.get("name") or "", each.get("value") or ""
        if tag == "input" and name and (each.get("type") != "radio" or "checked" in each):
            form[name] = value
        elif tag == "select":
            select = name
        elif tag == "option" and "selected" in each and value:
            form[select] = value
    for name, text in re.findall(
        r'<textarea[^>]* name="([^"]*)"[^>]*>\n(.*?)</textarea>', found.html, re.DOTALL
    ):
        form[name] = html.unescape(text)
    del form["definition"]
    return form


def beside(found: Page, name: str) -> str:
    """What is said to be wrong with a field."""
    (field,) = [each for _, each in found.elements if each.get("name") == name and "aria-invalid" in each]
    assert f"wrong-{field['id']}" in str(field["aria-describedby"])
    return found.html.partition(f'id="wrong-{field["id"]}">')[2].partition("<")[0]


def test_actor_is_chosen_and_its_arguments_are_asked_for(client: FlaskClient):
    first = page(client, "/ui/do/create-schedule")
    assert "arg.x" not in [each.get("name") for each in first.all("input")]
    second = page(client, "/ui/do/create-schedule?actor=add")
    assert {"name", "cron", "every_ms", "at", "timezone", "arg.x"} <= {
        each.get("name") for each in second.all("input")
    }


def test_form_makes_a_schedule_of_the_rule_that_is_chosen(client: FlaskClient):
    answer = do(
        client, "create-schedule", **{**NINE, "when": "every_ms", "every_ms": "1h 30m", "jitter_ms": "2m"}
    )
    assert (answer.status_code, answer.headers["Location"]) == (303, "/ui/schedules/nine")
    made = definition(client, "nine")
    assert (made["every_ms"], made["jitter_ms"], made["args"]) == (5_400_000, 120_000, {"x": 1})
    assert "cron" not in made


def test_what_is_wrong_stands_beside_each_field_and_nothing_typed_is_lost(client: FlaskClient):
    form = {**NINE, "arg.x": "one", "max_runs": "many", "end_at": "2999-01-01T00:00"}
    found = Page(do(client, "create-schedule", **form))
    assert beside(found, "arg.x") == "x: use a whole number."
    assert beside(found, "max_runs") == "Runs in all: use a whole number."
    form |= {"arg.x": "1", "max_runs": "0", "cron": "0 9 * *", "timezone": "Europe/Pariss"}
    found = Page(do(client, "create-schedule", **form))
    assert "5" in beside(found, "cron") or "five" in beside(found, "cron")
    assert "Europe/Paris" in beside(found, "timezone")
    assert "1" in beside(found, "max_runs")
    values = {
        each.get("name"): each.get("value") for each in found.all("input") if each.get("type") != "radio"
    }
    assert values.items() >= form.items() - {("when", "cron")}


def test_argument_that_the_actor_refuses_is_told_beside_it(client: FlaskClient):
    found = Page(do(client, "create-schedule", **{**NINE, "arg.x": ""}))
    assert "missing" in beside(found, "arg.x")


@pytest.mark.parametrize("rule", ["cron", "every_ms", "at"])
def test_rule_that_is_chosen_and_empty_is_asked_for(client: FlaskClient, rule: str):
    found = Page(do(client, "create-schedule", **{**NINE, "when": rule, "cron": ""}))
    assert beside(found, rule).endswith("say when.")


@pytest.mark.parametrize(
    "kept",
    [
        EVERYTHING,
        {"actor": "positional", "args": {"first": 1, "second": 2, "other": [1, "x"]}, "cron": "@daily"},
        {"actor": "anything", "args": {"value": "", "other": None}, "at": "2999-01-31T12:00:00Z"},
        {"actor": "nullable", "args": {"value": None}, "cron": "@daily", "timezone": "Europe/Berlin"},
    ],
    ids=lambda kept: kept["actor"],
)
def test_form_of_a_schedule_that_is_kept_as_it_is_changes_nothing(client: FlaskClient, kept: dict[str, Any]):
    assert client.put("/v1/schedules/all", json=kept).status_code == 201
    before = client.get("/v1/schedules/all")
    form = typed(page(client, "/ui/do/edit-schedule?name=all"))
    assert do(client, "edit-schedule", **form).status_code == 303
    assert client.get("/v1/schedules/all").headers["ETag"] == before.headers["ETag"]
    assert definition(client, "all") == before.get_json()["definition"]


def log_in(user: str, password: Annotated[str, Sensitive()]) -> None:
    """An actor."""


def test_hidden_argument_has_to_be_typed_anew(client: FlaskClient, broker: JobBroker):
    dramatiq.actor(broker=broker)(log_in)
    secret = {"actor": "log_in", "args": {"user": "ann", "password": "correct horse"}, "cron": "@daily"}
    assert client.put("/v1/schedules/in", json=secret).status_code == 201
    found = page(client, "/ui/do/edit-schedule?name=in")
    assert "correct horse" not in found.html
    form = typed(found)
    assert "missing" in beside(Page(do(client, "edit-schedule", **form)), "arg.password")


@pytest.mark.parametrize("ms", [0, 1, 999, 1000, 90_061_001, 366 * 86_400_000])
def test_duration_is_typed_as_it_is_read(ms: int):
    assert read_duration(typed_duration(ms)) == ms


@pytest.mark.parametrize("text", ["", "15", "m", "15 x", "-5m", "1.5h", "15m 3"])
def test_text_that_is_no_duration_is_refused(text: str):
    with pytest.raises(ValueError, match="15m"):
        read_duration(text)
