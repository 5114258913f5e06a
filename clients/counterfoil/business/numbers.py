"""Numbers that are given in turn: how many were given stands in a row of its own.

To count what was made, for every voucher that is made, takes longer the more there is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, cast

from sqlalchemy import Table, bindparam, select, update
from sqlalchemy.orm import Session

from counterfoil.business.prepared import Prepared
from counterfoil.business.rows import put
from counterfoil.business.tables import NumberSeries

_TABLE: Final = cast("Table", NumberSeries.__table__)
_COLUMNS: Final = _TABLE.columns
_NEXT: Final = Prepared(
    update(_TABLE)
    .where(_COLUMNS.name == bindparam("series"))
    .values(given=_COLUMNS.given + bindparam("count"))
)
_GIVEN: Final = Prepared(
    select(_COLUMNS.given).where(_COLUMNS.name == bindparam("series"))
)


def next_in(
    session: Session, series: str, made: Callable[[], int], count: int = 1
) -> int:
    """Return the next number of a series, from 1; none is given twice.

    Args:
        session: The transaction that uses the number: undone with it, the number is
            given again.
        series: What the numbers have in common, e.g. how they begin.
        made: Counts what was made before, when the series is asked for the first time:
            books that are older than their series go on where they were.
        count: How many numbers are taken at once: the one returned and those behind it.
    """
    if _NEXT.change(session, {"series": series, "count": count}):
        given = int(_GIVEN.scalar(session, {"series": series}))
    else:
        given = made() + count
        put(session, [NumberSeries(name=series, given=given)])
    return given - count + 1
