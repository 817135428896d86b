"""The shop does its work with what a wheel brings, from an empty folder."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.examples.conftest import SHOP
from tests.examples.partner import Partner
from tests.examples.running import RunningShop
from tests.examples.stripe_api import DECLINED_CARD, StripeApi
from tests.waiting import wait_until

pytestmark = [pytest.mark.sql, pytest.mark.xdist_group("shop")]

CARD = {"customer": "cus_1", "card": "pm_card_visa"}


def test_it_runs_what_was_installed_and_nothing_of_the_checkout(shop: RunningShop, installed: Path):
    code = "import worker_service, scheduler, shop; print(worker_service.__file__, scheduler.__file__, shop.__file__)"
    assert shop.run("python", "-c", code).wait(20) == 0
    paths = (shop.folder / "python.log").read_text().splitlines()[-1].split()
    assert [path.startswith(f"{installed}/") for path in paths] == [True] * 3


def test_its_own_tests_pass_with_what_was_installed(installed: Path, tmp_path: Path):
    shutil.copytree(SHOP / "tests", tmp_path / "tests")
    others = [word for name in ("cloudcoil", "schemathesis", "valkey") for word in ("-p", f"no:{name}")]
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-c",
            os.devnull,
            "--rootdir",
            tmp_path,
            "-W",
            "error",
            *others,
            "tests",
        ],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


class TestWelcome:
    def test_who_signs_up_gets_one_mail(self, shop: RunningShop):
        ann = shop.user("ann")
        wait_until(lambda: shop.http.get(f"/users/{ann}").json()["was_welcomed"], timeout=20)

        again = shop.do("send_welcome_email", user_id=ann)

        [mail] = shop.mails_to("ann@example.org")
        assert "Subject: Welcome, ann" in mail
        assert again["result"] == "was welcome before"

    def test_who_was_forgotten_gets_it_later(self, shop: RunningShop):
        shop.execute(
            "INSERT INTO users (name, email, created_at) VALUES ('ben', 'ben@example.org', :then)",
            then="2026-01-31 12:00:00.000000",
        )

        assert shop.do("welcome_forgotten_users")["result"] == 1

        wait_until(lambda: shop.mails_to("ben@example.org"), timeout=20)

    def test_mail_is_named_for_the_job_so_that_a_repeat_can_be_told(self, shop: RunningShop):
        shop.execute(
            "INSERT INTO users (id, name, email, created_at) VALUES (500, 'cleo', 'cleo@example.org', :then)",
            then="2026-01-31 12:00:00.000000",
        )
        job = shop.do("send_welcome_email", user_id=500)
        [mail] = shop.mails_to("cleo@example.org")
        assert f"Message-ID: <{job['id']}@" in mail

    def test_nobody_is_welcomed_who_is_not_there(self, shop: RunningShop):
        job = shop.do("send_welcome_email", user_id=10**6)
        assert (job["state"], job["attempt"]) == ("dead", 1)


class TestCharge:
    def test_request_that_is_repeated_charges_once(self, shop: RunningShop, payments: StripeApi):
        user = shop.user("carl", **CARD)
        body = {"amount": 1250, "currency": "eur"}
        for _ in range(3):
            answer = shop.http.post(
                f"/users/{user}/charges", json=body, headers={"Idempotency-Key": "cart-1"}
            )
            assert shop.ended(answer.json()["job"])["state"] == "succeeded"

        assert payments.charged(f"user-{user}-cart-1") == 1
        [paid] = shop.http.get(f"/users/{user}").json()["paid"]
        assert (paid["amount"], paid["currency"]) == (1250, "eur")

    def test_lost_answer_and_a_busy_service_charge_once(self, shop: RunningShop, payments: StripeApi):
        user = shop.user("dora", **CARD)
        payments.lose = 1
        busy = {"error": {"type": "api_error", "message": "Busy."}}
        payments.next_answers = [(429, {}, busy), (409, {}, busy), (503, {"Retry-After": "0"}, busy)]

        job = shop.do("charge_user", user_id=user, amount=500, currency="eur", idempotency_key="lost")

        assert job["state"] == "succeeded"
        assert [each["outcome"] for each in job["attempts"]] == ["snooze"] * 3 + ["retry", "complete"]
        assert payments.seen["lost"] == 2
        assert payments.charged("lost") == 1

    def test_failure_that_the_service_does_not_explain_is_tried_again(
        self, shop: RunningShop, payments: StripeApi
    ):
        user = shop.user("dirk", **CARD)
        payments.next_answers = [(500, {}, {"error": {"type": "api_error", "message": "Failed."}})]
        job = shop.do("charge_user", user_id=user, amount=500, currency="eur", idempotency_key="failed")
        assert [each["outcome"] for each in job["attempts"]] == ["retry", "complete"]
        assert payments.charged("failed") == 1

    def test_key_that_the_service_has_forgotten_is_looked_for(self, shop: RunningShop, payments: StripeApi):
        user = shop.user("emil", **CARD)
        shop.do("charge_user", user_id=user, amount=500, currency="eur", idempotency_key="old")
        # As if the process had been killed before it booked, and the job put back after two days.
        shop.execute(
            "UPDATE charges SET payment = NULL, asked_at = :then WHERE idempotency_key = 'old'",
            then=time.time() - 2 * 86_400,
        )
        shop.execute("DELETE FROM ledger WHERE user_id = :user", user=user)
        payments.forget_keys()

        job = shop.do("charge_user", user_id=user, amount=500, currency="eur", idempotency_key="old")

        assert job["state"] == "succeeded"
        assert payments.charged("old") == 1
        assert shop.scalar("SELECT count(*) FROM ledger WHERE user_id = :user", user=user) == 1

    def test_nothing_is_lost_and_nothing_promised_while_the_store_is_away(
        self, shop: RunningShop, payments: StripeApi
    ):
        with shop.web(JOBS_REDIS_URL="redis://127.0.0.1:1/0") as http:
            signed_up = http.post("/users", json={"name": "away", "email": "away@example.org", **CARD})
            assert signed_up.status_code == 201
            charges = f"/users/{signed_up.json()['id']}/charges"
            body = {"amount": 500, "currency": "eur"}
            assert http.post(charges, json=body, headers={"Idempotency-Key": "away"}).status_code == 503

        shop.do("welcome_forgotten_users", older_than_s=0)
        wait_until(lambda: shop.mails_to("away@example.org"), timeout=20)

    def test_declined_card_is_an_answer_and_no_failure(self, shop: RunningShop):
        user = shop.user("fred", customer="cus_2", card=DECLINED_CARD)
        job = shop.do("charge_user", user_id=user, amount=500, currency="eur", idempotency_key="declined")
        assert job["result"] == {"payment": None, "declined": "card_declined"}
        assert shop.http.get(f"/users/{user}").json()["paid"] == []

    @pytest.mark.parametrize(
        ("amount", "customer"), [(1, "cus_1"), (500, "unknown")], ids=["too small", "no customer"]
    )
    def test_what_the_service_refuses_is_not_tried_again(self, shop: RunningShop, amount: int, customer: str):
        user = shop.user(f"gina{amount}", customer=customer, card="pm_card_visa")
        job = shop.do(
            "charge_user", user_id=user, amount=amount, currency="eur", idempotency_key=f"no{amount}"
        )
        assert (job["state"], job["attempt"]) == ("dead", 1)

    def test_key_of_another_charge_is_refused(self, shop: RunningShop, payments: StripeApi):
        user = shop.user("hanna", **CARD)
        shop.do("charge_user", user_id=user, amount=500, currency="eur", idempotency_key="same")
        job = shop.do("charge_user", user_id=user, amount=700, currency="eur", idempotency_key="same")
        assert job["state"] == "dead"
        assert payments.charged("same") == 1

    def test_killed_before_a_line_it_charges_once(self, shop: RunningShop, payments: StripeApi):
        kill_before_lines(shop, payments, first=4, step=9)

    @pytest.mark.soak
    @pytest.mark.parametrize("first", range(3))
    def test_killed_before_any_line_it_charges_once(self, shop: RunningShop, payments: StripeApi, first: int):
        kill_before_lines(shop, payments, first, step=3)


def kill_before_lines(shop: RunningShop, payments: StripeApi, first: int, step: int) -> None:
    """A charge for every so many lines that the actor runs, killed before that line; the last one lives."""
    user = shop.user(f"ines{step}-{first}", **CARD)
    keys = []
    for line in range(first, 300, step):
        keys.append(f"{step}-kill-{line}")
        job = shop.do("charge_user", user_id=user, amount=500, currency="eur", idempotency_key=keys[-1])
        assert job["state"] == "succeeded"
        if job["crashes"] == 0:
            break

    assert line > 30, "lines of the shop without a job that was killed before them"
    assert [payments.charged(key) for key in keys] == [1] * len(keys)
    booked = "SELECT count(*) FROM ledger WHERE user_id = :user"
    assert shop.scalar(booked, user=user) == len(keys)


class TestPartner:
    def test_busy_partner_is_called_later_without_using_attempts(self, shop: RunningShop, partner: Partner):
        partner.answers = [(429, {"Retry-After": "1"}), (503, {"Retry-After": "0"}), (500, {})]

        job = shop.do("call_third_party", payload={"order": 17})

        assert job["result"] == {"taken": True}
        assert [each["charged"] for each in job["attempts"]] == [False, False, True, True]
        assert job["attempt"] == 2
        keys = {key for key, payload in partner.requests if payload == {"order": 17}}
        assert keys == {f"{job['id']}:call"}

    def test_what_the_partner_refuses_is_not_sent_again(self, shop: RunningShop, partner: Partner):
        partner.answers = [(422, {})]
        job = shop.do("call_third_party", payload={"order": 18})
        assert (job["state"], job["attempt"]) == ("dead", 1)
