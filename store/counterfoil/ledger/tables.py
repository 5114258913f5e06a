"""The ledger's tables, as `versions/` leaves them.

A voucher's row id is the log index of the first act that names it: nothing is
allocated, so the tables are the same however the log was cut into calls.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
)

from counterfoil.sql.schema import Schema

SCHEMA: Final = Schema("counterfoil.ledger", "ledger_")
_METADATA: Final = MetaData()
_ROW: Final = BigInteger().with_variant(Integer, "sqlite")

VOUCHERS: Final = Table(
    "ledger_voucher",
    _METADATA,
    Column("id", _ROW, primary_key=True, autoincrement=False),
    Column("digest", LargeBinary, nullable=False),
    Column("issuer", Text, nullable=False),
    Column("adm_div", Text, nullable=False),
    Column("fiscal_year", Integer, nullable=False),
    Column("type_code", Integer, nullable=False),
    Column("number", Text, nullable=False),
    Column("issue", Integer, nullable=False),
    Column("role", SmallInteger, nullable=False),
    Column("amount_fen", BigInteger, nullable=False),
    Column("count", BigInteger, nullable=False),
)
"""Every voucher that an act was about, also one that was withdrawn."""

ACTS: Final = Table(
    "ledger_act",
    _METADATA,
    Column("index", _ROW, primary_key=True, autoincrement=False),
    Column("voucher", BigInteger, nullable=False),
    Column("act", SmallInteger, nullable=False),
    Column("kind", SmallInteger, nullable=False),
    Column("recipients", Text, nullable=False),
    Column("time_us", BigInteger, nullable=False),
)
"""One row per leaf of the log, under the leaf's index."""

STANDINGS: Final = Table(
    "ledger_standing",
    _METADATA,
    Column("voucher", BigInteger, primary_key=True, autoincrement=False),
    Column("recipient", Text, primary_key=True),
    # The voucher's issuer again: each desk's rows stand in the order of change.
    Column("issuer", Text, nullable=False),
    Column("standing", SmallInteger, nullable=False),
    Column("leaf", BigInteger, nullable=False),
    Column("changed_us", BigInteger, nullable=False),
)
"""Where each voucher in the books stands with each recipient."""
