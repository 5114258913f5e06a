"""What came in and what was spent, added up for a day, its month and its year."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from sqlalchemy import ColumnElement, and_, func, select
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
    booked = session.execute(
        select(Income.level, Income.subject, Income.day, func.sum(Income.amount_fen))
        .where(_of_year(Income, day))
        .group_by(Income.level, Income.subject, Income.day)
    )
    return _upto(
        day, (((level, subject), when, fen) for level, subject, when, fen in booked)
    )


def spending(session: Session, day: str) -> Sums[str]:
    """Return what was spent up to a day, by function; a refund is negative."""
    booked = session.execute(
        select(Posting.function, Posting.day, func.sum(Posting.amount_fen))
        .where(_of_year(Posting, day))
        .group_by(Posting.function, Posting.day)
    )
    return _upto(day, ((function, when, -fen) for function, when, fen in booked))


def _of_year(table: type[Posting | Income], day: str) -> ColumnElement[bool]:
    return and_(table.day <= day, table.day >= f"{day[:4]}0101")


def _upto(day: str, booked: Iterable[tuple[_What, str, int]]) -> Sums[_What]:
    sums: Sums[_What] = Sums(Counter(), Counter(), Counter())
    for what, when, fen in booked:
        sums.year[what] += int(fen)
        sums.month[what] += int(fen) * (when[:6] == day[:6])
        sums.day[what] += int(fen) * (when == day)
    return sums
