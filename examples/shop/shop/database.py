"""The shop's tables, on SQLite or on what SHOP_DATABASE_URL names. ``python -m shop.database`` creates them."""

import os
from datetime import UTC, datetime

from sqlalchemy import DateTime, ForeignKey, create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, sessionmaker

from worker_service.sql import create_receipts

engine = create_engine(os.environ.get("SHOP_DATABASE_URL", "sqlite:///shop.db"))
sessions = sessionmaker(engine)


class Base(DeclarativeBase):
    """Of all tables."""


class User(Base):
    """A customer, with what the payment service calls him and his card."""

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    email: Mapped[str] = mapped_column(unique=True)
    customer: Mapped[str | None]
    card: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=lambda: datetime.now(UTC))
    welcomed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class Charge(Base):
    """What the payment service was asked for, written before it is asked, and what came of that."""

    __tablename__ = "charges"

    idempotency_key: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    amount: Mapped[int]
    currency: Mapped[str]
    asked_at: Mapped[float]
    payment: Mapped[str | None]
    declined: Mapped[str | None]


class LedgerEntry(Base):
    """Money that came in."""

    __tablename__ = "ledger"

    payment: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    amount: Mapped[int]
    currency: Mapped[str]


def create_tables() -> None:
    """Create what is missing, the table of worker-service's receipts included."""
    Base.metadata.create_all(engine)
    with engine.begin() as connection:
        create_receipts(connection)


if __name__ == "__main__":
    create_tables()
