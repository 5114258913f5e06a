"""Days, as vouchers write them: eight digits, in China."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Final

CHINA: Final = timezone(timedelta(hours=8))
"""Days on vouchers are days in China."""
_NOON_H: Final = 12


def day_of(instant: datetime) -> str:
    """Return the day in China of an instant, `yyyymmdd`."""
    return f"{instant.astimezone(CHINA):%Y%m%d}"


def noon(day: date) -> datetime:
    """Return noon in China of a day."""
    return datetime(day.year, day.month, day.day, _NOON_H, tzinfo=CHINA)


def clock_of(day: date | None) -> Callable[[], datetime]:
    """Return a clock: one that lives a day for good, as in a rehearsal, or the real."""
    if day is None:
        return lambda: datetime.now(UTC)
    return lambda: noon(day)


def written(day: date) -> str:
    """Return a day as vouchers write it, `yyyymmdd`."""
    return f"{day:%Y%m%d}"


def read_day(text: str) -> date:
    """Return the day that a voucher writes as `yyyymmdd`.

    Raises:
        ValueError: It is no such day.
    """
    return datetime.strptime(text, "%Y%m%d").replace(tzinfo=CHINA).date()
