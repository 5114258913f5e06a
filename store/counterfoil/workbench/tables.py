"""The workbench's tables, as `versions/` leaves them."""

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

_METADATA: Final = MetaData()

DRAFTS: Final = Table(
    "workbench_draft",
    _METADATA,
    Column("party", Text, primary_key=True),
    Column("digest", LargeBinary, primary_key=True),
    # `VoucherKey.to_bytes`; unique for each party.
    Column("key", LargeBinary, nullable=False),
    Column("recipients", Text, nullable=False),
    # The number of seals again, so that a change can state what it expects.
    Column("seal_count", SmallInteger, nullable=False),
    Column("seals", LargeBinary, nullable=False),
    Column("changed_us", BigInteger, nullable=False),
)
"""Drafts by party and digest, without what they say."""

PAYLOADS: Final = Table(
    "workbench_payload",
    _METADATA,
    Column("party", Text, primary_key=True),
    Column("digest", LargeBinary, primary_key=True),
    Column("payload", LargeBinary, nullable=False),
)
"""The payload of each draft. Apart, because a row that changes is written anew, and a
review changes the draft and not what it says."""
