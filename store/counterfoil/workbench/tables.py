"""The workbench's table, as `versions/` leaves it."""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
)

from counterfoil.sql.schema import Schema

SCHEMA: Final = Schema("counterfoil.workbench", "workbench_")

DRAFTS: Final = Table(
    "workbench_draft",
    MetaData(),
    Column("party", Text, primary_key=True),
    Column("digest", LargeBinary, primary_key=True),
    # `VoucherKey.to_bytes`; unique for each party.
    Column("key", LargeBinary, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Column("recipients", Text, nullable=False),
    # The number of seals again, so that a change can state what it expects.
    Column("seal_count", SmallInteger, nullable=False),
    Column("seals", LargeBinary, nullable=False),
    Column("changed_us", BigInteger, nullable=False),
)
"""Drafts by party and digest."""
