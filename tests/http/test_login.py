"""A person signs in with a key or a one-time link, and the cookie stands for the key from then on."""

import re

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.http.keys import ADMIN_KEY, a_key, bearer, cookie_of, guarded_client, made
from tests.http.test_dashboard import Page
from tests.http.test_problems import problem
from worker_service.broker.broker import JobBroker
from worker_service.settings import Settings
from worker_service.store import Logins
from worker_service.store.api_keys import hash_of

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
OUR_PAGE = {"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"}
JOB = {"actor": "add", "args": {"x": 1}}


@pytest.fixture
def browser(broker: JobBroker, settings: Settings) -> FlaskClient:
    """Keeps cookies, and asks an application that has an admin key."""
    return guarded_client(broker, settings)


def sign_in(browser: FlaskClient, **form: str) -> TestResponse:
    return browser.post("/login", data=form, headers={**BROWSER, **OUR_PAGE})


def is_in(browser: FlaskClient) -> bool:
    return browser.get("/", headers=BROWSER).status_code == 200


class TestSigningIn:
    def test_page_leads_to_the_form_and_the_form_back_to_the_page(self, browser: FlaskClient):
        led = browser.get("/?refresh=0", headers=BROWSER)
        assert (led.status_code, led.headers["Location"]) == (303, "/login?next=%2F%3Frefresh%3D0")
        form = Page(browser.get(led.headers["Location"], headers=BROWSER))
        fields = {str(each["name"]): str(each.get("value") or "") for each in form.all("input")}
        done = sign_in(browser, **{**fields, "key": ADMIN_KEY})
        assert (done.status_code, done.headers["Location"]) == (303, "/?refresh=0")
        assert is_in(browser)

    def test_cookie_is_for_this_site_only_and_no_script_reads_it(
        self, browser: FlaskClient, broker: JobBroker
    ):
        name, *flags = cookie_of(sign_in(browser, key=ADMIN_KEY)).split("; ")
        assert name.startswith(f"worker-service-{broker.store.namespace}=")
        assert {"HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=43200"} <= set(flags)
        assert "Secure" not in flags

    def test_under_https_the_cookie_is_secure(self, browser: FlaskClient):
        answer = browser.post("/login", data={"key": ADMIN_KEY}, base_url="https://localhost")
        assert "Secure" in cookie_of(answer).split("; ")

    def test_store_has_only_a_hash_of_the_cookie_and_forgets_it(
        self, browser: FlaskClient, broker: JobBroker
    ):
        cookie = cookie_of(sign_in(browser, key=ADMIN_KEY)).partition("=")[2].partition(";")[0]
        client, keys = broker.store.client, broker.store.keys
        assert 0 < client.pttl(keys.login(hash_of(cookie))) <= 12 * 3600 * 1000
        held = [str((key, client.dump(key))) for key in client.scan_iter(match=f"{keys.prefix}*")]
        assert not [each for each in held if cookie in each or ADMIN_KEY in each]

    @pytest.mark.parametrize("key", ["", "x" * 30, f"wsk_{'0' * 12}_{'x' * 43}"])
    def test_wrong_key_is_told(self, browser: FlaskClient, key: str):
        answer = sign_in(browser, key=key)
        assert answer.status_code == 401
        assert "This is no key." in Page(answer).text
        assert not is_in(browser)

    @pytest.mark.parametrize("address", ["https://evil.example/", "//evil.example", "/\\evil.example", "x"])
    def test_goes_on_to_no_other_site(self, browser: FlaskClient, address: str):
        assert sign_in(browser, key=ADMIN_KEY, next=address).headers["Location"] == "/"

    def test_page_of_another_site_signs_nobody_in(self, browser: FlaskClient):
        answer = browser.post("/login", data={"key": ADMIN_KEY}, headers={"Origin": "https://evil.example"})
        problem(answer, 403, "forbidden")

    def test_without_keys_nobody_needs_to(self, client: FlaskClient):
        assert client.get("/login").headers["Location"] == "/"

    def test_large_form_is_413(self, browser: FlaskClient):
        problem(browser.post("/login", data={"key": "x" * 20_000}), 413, "request-entity-too-large")


class TestLink:
    @pytest.fixture
    def code(self, broker: JobBroker) -> str:
        """Of a new link."""
        return Logins(broker.store.client, broker.store.namespace).make_code()

    def test_opening_it_shows_a_button_that_signs_in_once(self, browser: FlaskClient, code: str):
        for _ in range(2):
            form = Page(browser.get(f"/login?code={code}", headers=BROWSER))
            assert {"name": "code", "type": "hidden", "value": code} in form.all("input")
        assert sign_in(browser, code=code).status_code == 303
        assert is_in(browser)
        assert sign_in(browser, code=code).status_code == 401

    def test_other_codes_do_not(self, browser: FlaskClient, code: str):
        assert sign_in(browser, code=code[:-1]).status_code == 401
        assert not is_in(browser)

    def test_with_keys_in_the_store_only_it_signs_in_too(
        self, client: FlaskClient, broker: JobBroker, code: str
    ):
        a_key(broker, "read")
        assert not is_in(client)
        assert sign_in(client, code=code).status_code == 303
        assert is_in(client)


class TestCookie:
    def test_may_what_the_key_may(self, browser: FlaskClient, broker: JobBroker):
        sign_in(browser, key=a_key(broker, "read"))
        assert is_in(browser)
        problem(browser.post("/v1/jobs", json=JOB, headers=OUR_PAGE), 403, "forbidden")
        sign_in(browser, key=a_key(broker, "submit"))
        assert browser.post("/v1/jobs", json=JOB, headers=OUR_PAGE).status_code == 202

    @pytest.mark.parametrize(
        "headers",
        [
            {"Origin": "https://evil.example"},
            {"Origin": "null"},
            {"Sec-Fetch-Site": "cross-site"},
            {"Sec-Fetch-Site": "same-site"},
            {"Sec-Fetch-Site": "same-origin", "Origin": "http://other.localhost"},
            {},
        ],
    )
    def test_changes_nothing_for_a_request_that_is_not_from_our_pages(
        self, browser: FlaskClient, headers: dict[str, str]
    ):
        sign_in(browser, key=ADMIN_KEY)
        problem(browser.post("/v1/jobs", json=JOB, headers=headers), 403, "forbidden")
        problem(browser.delete("/v1/keys/x", headers=headers), 403, "forbidden")

    def test_ends_when_the_person_signs_out(self, browser: FlaskClient):
        sign_in(browser, key=ADMIN_KEY)
        page = Page(browser.get("/", headers=BROWSER))
        (address,) = {str(form.get("action")) for form in page.all("form")} & {"/logout"}
        assert browser.post(address, headers=OUR_PAGE).status_code == 303
        assert not is_in(browser)

    def test_is_worth_nothing_once_the_person_has_signed_out(self, browser: FlaskClient):
        cookie = cookie_of(sign_in(browser, key=ADMIN_KEY)).partition(";")[0]
        browser.post("/logout", headers=OUR_PAGE)
        assert browser.get("/v1/actors", headers={"Cookie": cookie}).status_code == 401

    def test_ends_with_its_key(self, browser: FlaskClient, broker: JobBroker):
        key, secret = made(broker, "read")
        sign_in(browser, key=secret)
        assert is_in(browser)
        assert browser.delete(f"/v1/keys/{key.id}", headers=bearer(ADMIN_KEY)).status_code == 204
        assert not is_in(browser)

    def test_ends_when_its_key_is_rotated(self, browser: FlaskClient, broker: JobBroker):
        key, secret = made(broker, "read")
        sign_in(browser, key=secret)
        assert browser.post(f"/v1/keys/{key.id}/rotate", headers=bearer(ADMIN_KEY)).status_code == 200
        assert not is_in(browser)

    def test_ends_with_another_admin_key(self, browser: FlaskClient, broker: JobBroker, settings: Settings):
        cookie = cookie_of(sign_in(browser, key=ADMIN_KEY)).partition(";")[0]
        other = guarded_client(broker, settings, admin_key="another" * 5)
        assert other.get("/v1/actors", headers={"Cookie": cookie}).status_code == 401
        assert browser.get("/v1/actors").status_code == 200

    def test_of_nobody_is_none(self, browser: FlaskClient, broker: JobBroker):
        cookie = f"worker-service-{broker.store.namespace}={'x' * 43}"
        assert browser.get("/v1/actors", headers={"Cookie": cookie}).status_code == 401


def test_programs_are_not_led_to_a_form(browser: FlaskClient):
    for accept in ("*/*", "application/json", "text/event-stream", ""):
        assert browser.get("/", headers={"Accept": accept}).status_code == 401
    assert re.match("/login", browser.get("/nope", headers=BROWSER).headers["Location"])
