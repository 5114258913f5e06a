"""What we issued, as our outbox has it."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from counterfoil.business.tables import OutboxEntry, OutboxState


def next_number(session: Session, type_code: int, prefix: str) -> str:
    """Return the next number of a kind that begins so: two digits or more follow.

    It follows from our own books.
    """
    used = session.scalar(
        select(func.count()).where(
            OutboxEntry.type_code == type_code, OutboxEntry.number.startswith(prefix)
        )
    )
    return f"{prefix}{(used or 0) + 1:02}"


def refused_at_home(session: Session, type_code: int) -> Sequence[OutboxEntry]:
    """Return what of a kind our own gateway would not take: nobody else has it."""
    return session.scalars(
        select(OutboxEntry).filter_by(type_code=type_code, state=OutboxState.REFUSED)
    ).all()
