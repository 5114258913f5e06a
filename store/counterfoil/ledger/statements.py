"""The statements of `follow` as text that a driver takes with plain tuples.

They are written with SQLAlchemy like all others and compiled once per database
kind; only its work per row is left out, which costs more than SQLite's
(docs/adr/0003).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from sqlalchemy import insert
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Dialect
from sqlalchemy.sql.dml import Insert

from counterfoil.ledger.tables import ACTS, STANDINGS, VOUCHERS


@dataclass(frozen=True, slots=True)
class Texts:
    """SQL whose parameters are a table's columns in their order."""

    insert_vouchers: str
    insert_acts: str
    upsert_standings: str


@lru_cache(maxsize=8)
def texts(dialect: Dialect) -> Texts:
    """Return the statements for the database that `dialect` speaks to."""
    if dialect.name == "sqlite":
        return _texts(dialect, sqlite.insert(STANDINGS))
    return _texts(dialect, postgresql.insert(STANDINGS))


def _texts(dialect: Dialect, standing: sqlite.Insert | postgresql.Insert) -> Texts:
    upsert = standing.on_conflict_do_update(
        index_elements=[STANDINGS.c.voucher, STANDINGS.c.recipient],
        set_={
            name: standing.excluded[name] for name in ("standing", "leaf", "changed_us")
        },
    )
    return Texts(
        insert_vouchers=_text(insert(VOUCHERS), dialect),
        insert_acts=_text(insert(ACTS), dialect),
        upsert_standings=_text(upsert, dialect),
    )


def _text(statement: Insert, dialect: Dialect) -> str:
    compiled = statement.compile(dialect=dialect)
    columns = [column.name for column in statement.table.columns]
    assert getattr(compiled, "positiontup", None) == columns, "not in column order"
    return str(compiled)
