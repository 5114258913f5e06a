"""What came in and what was spent, added up for a day, its month and its year."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from sqlalchemy import ColumnElement, and_, select
from sqlalchemy.orm import Session

from counterfoil.treasury.books import Income, Posting

_What = TypeVar("_What")

Revenue = tuple[str, str]
"""Level and subject of the budget."""


@dataclass(frozen=True, slots=True)
class Sums(Generic[_What]):
    """Amounts in fen of a day, and of its month and its year up to it.

    What the year has, day and month have too, if only as zero.
    """

    day: Counter[_What]
    month: Counter[_What]
    year: Counter[_What]


def revenue(session: Session, day: str) -> Sums[Revenue]:
    """Return the revenue up to a day, `yyyymmdd`, by level and subject."""
    return _upto(
        day,
        (
            ((one.level, one.subject), one.day, one.amount_fen)
            for one in session.scalars(select(Income).where(_of_year(Income, day)))
        ),
    )


def spending(session: Session, day: str) -> Sums[str]:
    """Return what was spent up to a day, by function; a refund is negative."""
    return _upto(
        day,
        (
            (one.function, one.day, -one.amount_fen)
            for one in session.scalars(select(Posting).where(_of_year(Posting, day)))
        ),
    )


def _of_year(table: type[Posting | Income], day: str) -> ColumnElement[bool]:
    return and_(table.day <= day, table.day >= f"{day[:4]}0101")


def _upto(day: str, booked: Iterable[tuple[_What, str, int]]) -> Sums[_What]:
    sums: Sums[_What] = Sums(Counter(), Counter(), Counter())
    for what, when, fen in booked:
        sums.year[what] += fen
        sums.month[what] += fen * (when[:6] == day[:6])
        sums.day[what] += fen * (when == day)
    return sums
