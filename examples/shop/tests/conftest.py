"""A database of each run's own, and stand-ins for those whom the shop asks; `jobs` comes with worker-service."""

import os
import tempfile
from pathlib import Path

import pytest

os.environ["SHOP_DATABASE_URL"] = f"sqlite:///{Path(tempfile.mkdtemp()) / 'shop.db'}"

from shop import payments
from shop.database import Base, User, create_tables, engine, sessions


@pytest.fixture(autouse=True)
def tables():
    """Empty ones."""
    create_tables()
    yield
    with engine.begin() as connection:
        for table in reversed(Base.metadata.sorted_tables):
            connection.execute(table.delete())


@pytest.fixture
def ann():
    """The id of a user with a card."""
    with sessions.begin() as session:
        user = User(name="Ann", email="ann@example.org", customer="cus_1", card="pm_1")
        session.add(user)
        session.flush()
        return user.id


class PaymentService:
    """Charges once for a key, as the real one does."""

    def __init__(self) -> None:
        self.made: dict[str, payments.Payment] = {}

    def pay(self, customer: str, card: str, amount: int, currency: str, key: str) -> payments.Payment:
        return self.made.setdefault(key, payments.Payment(f"pi_{len(self.made) + 1}"))


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> PaymentService:
    """The payment service."""
    made = PaymentService()
    monkeypatch.setattr(payments, "pay", made.pay)
    return made
