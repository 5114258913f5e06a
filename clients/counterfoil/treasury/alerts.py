"""What a person is to be told of: noted in the books, and told once."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from counterfoil.treasury.books import TEXT_MAX, Alert


def note(session: Session, day: str, text: str) -> None:
    """Note an alert in the transaction that found it.

    Args:
        session: The transaction.
        day: Today in China, `yyyymmdd`.
        text: What it is, in Chinese.
    """
    session.add(Alert(day=day, text=text[:TEXT_MAX]))


def of_day(session: Session, day: str) -> list[str]:
    """Return what was found on a day."""
    return list(
        session.scalars(select(Alert.text).where(Alert.day == day).order_by(Alert.id))
    )


def untold(session: Session) -> list[Alert]:
    """Return what no running system has told yet."""
    return list(
        session.scalars(select(Alert).where(Alert.told.is_(False)).order_by(Alert.id))
    )
