"""The statements of `follow` as text; see `counterfoil.sql.plain`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import BindParameter, Select, insert, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Dialect
from sqlalchemy.sql.dml import Insert

from counterfoil.ledger.tables import ACTS, STANDINGS, VOUCHERS
from counterfoil.sql.plain import text_of


@dataclass(frozen=True, slots=True)
class Texts:
    """SQL whose parameters are a table's columns in their order."""

    insert_vouchers: str
    insert_acts: str
    upsert_standings: str


def ids(digests: Sequence[BindParameter[Any]]) -> Select[Any]:
    """Tell the row ids of vouchers, by digest and role."""
    chosen = select(VOUCHERS.c.digest, VOUCHERS.c.role, VOUCHERS.c.id)
    return chosen.where(VOUCHERS.c.digest.in_(digests))


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
    return text_of(statement, dialect, *statement.table.columns.keys())
