"""Closing a day (日结): once it is reported, nothing more is booked on it.

What a report says stays true: a booking that comes later goes onto the next open day,
with the reason beside it.
"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from counterfoil.business.days import read_day, written
from counterfoil.treasury.books import ClosedDay


def open_day(session: Session, day: str) -> str:
    """Return the day on which something of a day is booked: it, or the next open one.

    Args:
        session: The transaction that books it.
        day: In China, `yyyymmdd`.
    """
    last = session.scalar(select(func.max(ClosedDay.day)))
    if last is None or day > last:
        return day
    return written(read_day(last) + timedelta(days=1))


def reason(day: str, booked: str) -> str:
    """Return why something of a day is booked on another, in Chinese; or nothing."""
    return "" if day == booked else f"{day}日报已生成，记入{booked}"


def close(session: Session, day: str, today: str) -> None:
    """Close a day, and with it all days before it; again, it changes nothing.

    Args:
        session: The transaction that makes the day's reports.
        day: In China, `yyyymmdd`.
        today: Likewise.

    Raises:
        ValueError: The day has not come yet.
    """
    if day > today:
        msg = f"{day} cannot be reported on {today}"
        raise ValueError(msg)
    if session.get(ClosedDay, day) is None:
        session.add(ClosedDay(day=day))
