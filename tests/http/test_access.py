"""Who may ask: with and without an admin key, from programs and from browsers."""

import base64
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.http.keys import ADMIN_KEY as KEY
from tests.http.keys import bearer, guarded_client
from tests.http.test_problems import problem
from worker_service.broker.broker import JobBroker
from worker_service.settings import Settings

JOB = {"actor": "add", "args": {"x": 1}}


def basic(key: str, user: str = "anybody") -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{key}".encode()).decode()}


@pytest.fixture
def guarded(broker: JobBroker, settings: Settings) -> FlaskClient:
    """Asks an application that has an admin key."""
    return guarded_client(broker, settings)


class TestWithAKey:
    def test_bearer_of_the_key_may_do_everything(self, guarded: FlaskClient):
        created = guarded.post("/v1/jobs", json=JOB, headers=bearer(KEY))
        assert created.status_code == 202
        assert guarded.get(created.headers["Location"], headers=bearer(KEY)).status_code == 200

    @pytest.mark.parametrize("path", ["/", "/v1/jobs/x", "/metrics", "/nope", "/livez/", "/readyz/x"])
    def test_without_it_nothing_is_said_not_even_what_there_is(self, guarded: FlaskClient, path: str):
        body = problem(guarded.get(path), 401, "unauthorized")
        assert "Authorization: Bearer" in body["detail"]

    @pytest.mark.parametrize(
        "headers",
        [
            {},
            bearer(""),
            bearer(KEY[:-1]),
            bearer(KEY + "x"),
            bearer(KEY.upper()),
            bearer("\u00e9" * 20),
            {"Authorization": KEY},
            {"Authorization": f"Digest password={KEY}"},
            {"Authorization": "Basic ????"},
            basic(KEY),
            {"X-Api-Key": KEY},
        ],
    )
    @pytest.mark.parametrize("method", ["GET", "POST"])
    def test_anything_but_the_key_is_401(self, guarded: FlaskClient, method: str, headers: dict[str, str]):
        answer = guarded.open("/v1/jobs", method=method, json=JOB, headers=headers)
        assert KEY not in str(problem(answer, 401, "unauthorized"))

    def test_a_program_is_told_which_kind_of_key(self, guarded: FlaskClient):
        assert guarded.get("/").headers.getlist("WWW-Authenticate") == ['Bearer realm="worker service"']

    def test_what_the_page_loads_is_open_and_says_nothing(self, guarded: FlaskClient):
        with guarded.get("/static/css/tokens.css") as style:
            assert style.status_code == 200

    @pytest.mark.parametrize("path", ["/livez", "/readyz"])
    def test_probes_need_no_key(self, guarded: FlaskClient, path: str):
        answer = guarded.get(path, headers={"Host": "10.0.0.7:8000"})
        assert (answer.status_code, answer.get_json()) == (200, {"status": "ok"})

    def test_any_host_name_is_served(self, guarded: FlaskClient):
        headers = {**bearer(KEY), "Host": "jobs.example.org"}
        assert guarded.post("/v1/jobs", json=JOB, headers=headers).status_code == 202


class TestOtherSites:
    @pytest.fixture(params=["with a key", "without"])
    def post(self, request: pytest.FixtureRequest, client: FlaskClient, guarded: FlaskClient) -> Any:
        """Submits a job with what a browser would add."""
        asked, key = (guarded, bearer(KEY)) if request.param == "with a key" else (client, {})

        def send(**headers: str) -> TestResponse:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            return asked.post("/v1/jobs", json=JOB, headers={"Host": "localhost:8000", **key, **named})

        return send

    @pytest.mark.parametrize(
        "origin",
        [
            "https://evil.example",
            "null",
            "",
            "http://localhost:8001",
            "http://localhost",
            "http://127.0.0.1:8000",
        ],
    )
    def test_page_of_another_origin_changes_nothing(self, post: Any, origin: str):
        problem(post(Origin=origin), 403, "forbidden")

    @pytest.mark.parametrize("site", ["cross-site", "same-site"])
    def test_request_that_the_browser_marks_as_foreign_changes_nothing(self, post: Any, site: str):
        problem(post(Sec_Fetch_Site=site), 403, "forbidden")

    @pytest.mark.parametrize("origin", ["http://localhost:8000", "https://LOCALHOST:8000"])
    def test_page_of_our_own_may(self, post: Any, origin: str):
        assert post(Origin=origin, Sec_Fetch_Site="same-origin").status_code == 202

    def test_link_from_another_site_may_be_followed(self, client: FlaskClient):
        assert client.get("/livez", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 200
