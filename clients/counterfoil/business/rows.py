"""Rows that are written at once, past the session's own account of them.

A session follows every object that it holds, so that it can write in the end what was
changed of any: made for few objects and many hands. Here are many rows, changed in one
place each. They are written when they are changed, by statements that are made once;
what is read after that in the same transaction sees them.

What is asked for every voucher is made once too: a query with `bindparam`, as a
constant of its module. To put one together costs twice what it costs to run it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from itertools import groupby
from typing import Any, ClassVar, Final, Protocol, cast

from sqlalchemy import (
    CursorResult,
    FromClause,
    Insert,
    Table,
    Update,
    bindparam,
    insert,
    inspect,
    select,
    update,
)
from sqlalchemy.orm import InstrumentedAttribute, Session
from sqlalchemy.orm.attributes import set_committed_value

from counterfoil.business.prepared import Prepared

_LOOKED_UP: Final = 256
"""Rows whose keys are read together."""
_KEY: Final = "key_of_"
"""Sets the name that a row is found by apart from a value of the same name."""


class Row(Protocol):
    """A row of a table, as the object mapper has it."""

    __table__: ClassVar[FromClause]


def put(session: Session, rows: Iterable[Row]) -> None:
    """Insert new rows, all of one table in a row by one statement.

    They stay outside the session, and what the database gives them is not known, a
    number for example: see `put_one`.
    """
    filled = [(_table_of(one), _filled(one)) for one in rows]
    for (table, _), some in groupby(filled, key=lambda one: (one[0], one[1].keys())):
        session.execute(_insert(table), [values for _, values in some])


def put_one(session: Session, row: Row) -> None:
    """Insert a new row; it stays outside the session and knows its key."""
    table = _table_of(row)
    done = cast("CursorResult[Any]", session.execute(_insert(table), _filled(row)))
    key = done.inserted_primary_key or ()
    for column, value in zip(table.primary_key, key, strict=True):
        setattr(row, column.key, value)


def put_known(
    session: Session, rows: Sequence[Row], by: InstrumentedAttribute[str]
) -> None:
    """Insert new rows of one table; each knows its key afterwards, which is one number.

    Args:
        session: One transaction.
        rows: They stay outside the session.
        by: A column that tells them apart; no row that was there before has a value
            of theirs.
    """
    if not rows:
        return
    put(session, rows)
    table = _table_of(rows[0])
    [key] = table.primary_key
    keys: dict[str, int] = {}
    for start in range(0, len(rows), _LOOKED_UP):
        values = [getattr(one, by.key) for one in rows[start : start + _LOOKED_UP]]
        found = _lookup(table, by.key).rows(session, {"values": values})
        keys |= dict(found)
    for row in rows:
        setattr(row, key.key, keys[getattr(row, by.key)])


def store(session: Session, rows: Iterable[Row]) -> None:
    """Write what was changed of rows, all that changed alike by one statement.

    Args:
        session: One transaction.
        rows: Rows that were read before, and stand in no session.
    """
    changed = [(_table_of(one), _changed(one), one) for one in rows]
    for (table, names), some in groupby(changed, key=lambda one: one[:2]):
        if not names:
            continue
        alike = [one for *_, one in some]
        keys = [column.key for column in table.primary_key]
        session.execute(
            _update(table, names), [_values(one, keys, names) for one in alike]
        )
        for one in alike:
            for name in names:
                set_committed_value(one, name, getattr(one, name))


def apart(session: Session, rows: Iterable[Row]) -> None:
    """Take rows out of the session that has just read them: see `store`."""
    for one in rows:
        session.expunge(one)


def _table_of(row: Row) -> Table:
    table = row.__table__
    assert isinstance(table, Table), "every class of ours is one table"
    return table


def _filled(row: Row) -> Mapping[str, Any]:
    """Return what is set of a new row; the rest is the columns' defaults."""
    columns = _table_of(row).columns
    return {name: value for name, value in vars(row).items() if name in columns}


def _changed(row: Row) -> tuple[str, ...]:
    """Return which columns were changed since the row was read."""
    unchanged = inspect(row).unmodified
    return tuple(one.key for one in _table_of(row).columns if one.key not in unchanged)


def _values(row: Row, keys: Iterable[str], names: Iterable[str]) -> dict[str, Any]:
    values = {name: getattr(row, name) for name in names}
    return values | {f"{_KEY}{name}": getattr(row, name) for name in keys}


@cache
def _insert(table: Table) -> Insert:
    return insert(table)


@cache
def _lookup(table: Table, name: str) -> Prepared:
    column, [key] = table.columns[name], table.primary_key
    wanted = select(column, key)
    return Prepared(wanted.where(column.in_(bindparam("values", expanding=True))))


@cache
def _update(table: Table, names: tuple[str, ...]) -> Update:
    keys = (column == bindparam(f"{_KEY}{column.key}") for column in table.primary_key)
    return update(table).where(*keys).values({one: bindparam(one) for one in names})
