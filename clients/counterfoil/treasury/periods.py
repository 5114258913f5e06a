"""Months and years, as statements state them: pure."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from counterfoil.business.days import read_day, written

_DECEMBER: Final = "12"


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """A month or a year.

    Attributes:
        name: `yyyymm`, or `yyyy`.
        first: Its first day, `yyyymmdd`.
        last: Its last.
    """

    name: str
    first: str
    last: str

    @property
    def end(self) -> date:
        """Its last day."""
        return read_day(self.last)


def month_of(name: str) -> Period:
    """Return a month by its name, `yyyymm`.

    Raises:
        ValueError: It is no month.
    """
    try:
        first = read_day(f"{name}01")
    except ValueError as error:
        msg = f"{name!r} is no month, yyyymm"
        raise ValueError(msg) from error
    days = monthrange(first.year, first.month)[1]
    return Period(name, written(first), f"{name}{days:02}")


def ending_with(month: Period) -> tuple[Period, ...]:
    """Return the periods that end with a month: it, and the year with December."""
    if not month.name.endswith(_DECEMBER):
        return (month,)
    year = month.name[:4]
    return (month, Period(year, f"{year}0101", month.last))


def months_before(first: str, today: str) -> Iterator[Period]:
    """Yield the months that are over, from the one of a day on."""
    month = month_of(first[:6])
    while month.last < today:
        yield month
        month = month_of(written(month.end + timedelta(days=1))[:6])
