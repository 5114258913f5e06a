"""Compares the ledger's rows with what following the log writes.

The tables are the same however the log was cut into calls, so each row has exactly
one right content. Acts and vouchers are compared value by value with the acts of
the log; where a voucher stands is compared by `vault verify` with its replay, and
here only with the acts and vouchers that the row names.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import Column, Connection, and_, or_, select

from counterfoil.app.ports import LogRecord
from counterfoil.domain.standing import Standing
from counterfoil.ledger.batch import Batch, Row, Side
from counterfoil.ledger.tables import ACTS, STANDINGS, VOUCHERS

_FOREIGN_MAX: Final = 1000
"""Rows told of one table: beyond, the ledger is lost and their number says no more."""

_STANDINGS: Final = tuple(int(standing) for standing in Standing)


def differing(
    connection: Connection, records: Sequence[LogRecord], ids: dict[Side, int]
) -> list[tuple[int, str]]:
    """Return at which acts the ledger is not what following them writes, and in what.

    Args:
        connection: In a transaction.
        records: Acts that the ledger has taken in, in log order and without a gap.
        ids: Row ids of the vouchers that the acts are about, by digest and role.
    """
    first, last = records[0].index, records[-1].index
    acts = _rows(connection, ACTS.c.index, first, last)
    vouchers = _rows(connection, VOUCHERS.c.id, first, last)
    # A voucher is new with its first act: so it is where its row id says.
    known = {side: row_id for side, row_id in ids.items() if row_id < first}
    batch = Batch.of(records, known)
    told = {int(row[0]): row for row in batch.vouchers}
    found: list[tuple[int, str]] = []
    for act in batch.acts:
        index = int(act[0])
        if (difference := _difference(vouchers.get(index), told.get(index))) != "":
            found.append((index, f"voucher {difference}"))
        if (difference := _difference(acts.get(index), act)) != "":
            found.append((index, f"act {difference}"))
    return found


def foreign(connection: Connection, end: int) -> list[str]:
    """Return what belongs to no act before log index `end`, as text.

    Standings count as such if the act or the voucher that they name is another.
    """
    v, a, s = VOUCHERS.c, ACTS.c, STANDINGS.c
    strangers = (
        ("act", select(a.index).where(or_(a.index < 0, a.index >= end))),
        ("voucher", select(v.id).where(or_(v.id < 0, v.id >= end))),
        (
            "standing of voucher",
            select(s.voucher)
            .select_from(
                STANDINGS.outerjoin(VOUCHERS, v.id == s.voucher).outerjoin(
                    ACTS, and_(a.index == s.leaf, a.voucher == s.voucher)
                )
            )
            .where(
                or_(
                    v.id.is_(None),
                    v.issuer != s.issuer,
                    a.index.is_(None),
                    a.time_us != s.changed_us,
                    s.standing.not_in(_STANDINGS),
                )
            ),
        ),
    )
    return [
        f"{name} {row[0]}"
        for name, statement in strangers
        for row in connection.execute(statement.limit(_FOREIGN_MAX))
    ]


def _difference(has: Row | None, told: Row | None) -> str:
    """Return in what way a row is not the one told; empty if it is."""
    if has == told:
        return ""
    if has is None:
        return "is missing"
    return "is not in the log" if told is None else "is another"


def _rows(
    connection: Connection, index: Column[int], first: int, last: int
) -> dict[int, Row]:
    """Return the rows of a table whose index is among these, by index."""
    statement = select(index.table).where(index.between(first, last))
    return {row[0]: tuple(row) for row in connection.execute(statement)}
