"""Days, as vouchers write them: eight digits, in China."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from typing import Final

CHINA: Final = timezone(timedelta(hours=8))
"""Days on vouchers are days in China."""
_NOON_H: Final = 12


def day_of(instant: datetime) -> str:
    """Return the day in China of an instant, `yyyymmdd`."""
    return f"{instant.astimezone(CHINA):%Y%m%d}"


def noon(day: date) -> datetime:
    """Return noon in China of a day: what a clock says that lives this day for good."""
    return datetime(day.year, day.month, day.day, _NOON_H, tzinfo=CHINA)


def written(day: date) -> str:
    """Return a day as vouchers write it, `yyyymmdd`."""
    return f"{day:%Y%m%d}"


def read_day(text: str) -> date:
    """Return the day that a voucher writes as `yyyymmdd`.

    Raises:
        ValueError: It is no such day.
    """
    return datetime.strptime(text, "%Y%m%d").replace(tzinfo=CHINA).date()
