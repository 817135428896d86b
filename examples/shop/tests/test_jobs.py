"""The shop's jobs without Redis, workers and payment service."""

from datetime import timedelta
from unittest.mock import Mock

import pytest
from shop import charges, partner, web
from shop import jobs as shop_jobs
from shop.database import LedgerEntry, User, sessions
from sqlalchemy import func, select

from worker_service import PermanentError
from worker_service.testing import lines_of

CHARGE = {"amount": 700, "currency": "eur", "idempotency_key": "order-1"}


def test_who_signs_up_is_welcomed_by_a_job(jobs, monkeypatch):
    mail = Mock()
    monkeypatch.setattr(shop_jobs, "send_email", mail)
    answer = web.app.test_client().post("/users", json={"name": "Bob", "email": "bob@example.org"})
    jobs.assert_enqueued(
        shop_jobs.send_welcome_email, {"user_id": answer.json["id"]}, queue="emails", count=1
    )
    mail.assert_not_called()
    jobs.drain()
    mail.assert_called_once()
    assert web.app.test_client().get(f"/users/{answer.json['id']}").json["was_welcomed"]


def test_user_who_is_welcomed_twice_has_one_job(jobs, ann):
    shop_jobs.send_welcome_email.send(ann)
    shop_jobs.send_welcome_email.send(ann)
    jobs.assert_enqueued(shop_jobs.send_welcome_email, count=1)


def test_nobody_is_welcomed_who_is_not_there(jobs):
    with pytest.raises(PermanentError, match="there is no user 7"):
        jobs.perform(shop_jobs.send_welcome_email, 7)


def test_busy_partner_is_called_when_he_says_so(jobs, monkeypatch):
    busy = Mock(status_code=503, headers={"Retry-After": "120"})
    done = Mock(status_code=200, headers={}, **{"json.return_value": {"ok": True}})
    monkeypatch.setenv("SHOP_PARTNER_URL", "http://partner.example")
    monkeypatch.setattr(partner.requests, "post", Mock(side_effect=[busy, busy, done]))
    message, began = shop_jobs.call_third_party.send({"a": 1}), jobs.clock.now
    assert jobs.drain() == {"snooze": 2, "complete": 1}
    assert jobs.clock.now - began >= timedelta(seconds=240)
    assert jobs.one(message).attempts == 0


WHERE = [
    (function, line)
    for function in (charges.charge, charges._note, charges._book)
    for line in lines_of(function)
]


@pytest.mark.parametrize("where", WHERE, ids=lambda where: f"{where[0].__name__}:{where[1]}")
def test_killed_before_any_line_it_charges_once(jobs, ann, service, where):
    message = shop_jobs.charge_user.send(ann, **CHARGE)
    jobs.crash(at_line=where)
    jobs.drain()
    assert jobs.one(message).result == {"payment": "pi_1", "declined": None}
    assert len(service.made) == 1
    with sessions() as session:
        assert session.scalar(select(func.count()).select_from(LedgerEntry)) == 1


def test_killed_when_the_service_has_charged_it_charges_once(jobs, ann, service):
    shop_jobs.charge_user.send(ann, **CHARGE)
    jobs.crash(after=service.pay)
    assert jobs.drain() == {"crash": 1, "complete": 1}
    assert len(service.made) == 1


def test_card_is_needed(jobs):
    with sessions.begin() as session:
        session.add(User(id=9, name="Cy", email="cy@example.org"))
    with pytest.raises(PermanentError, match="user 9 has no card"):
        jobs.perform(shop_jobs.charge_user, 9, **CHARGE)
