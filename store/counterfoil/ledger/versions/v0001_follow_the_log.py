"""Acts, vouchers and standings.

A migration states its tables itself, and not by `counterfoil.ledger.tables`: it
must make in ten years what it makes today.
"""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "ledger_0001"
down_revision: Final = None

# PostgreSQL sorts text by its locale unless told otherwise; paging and
# `vault verify` compare with Python's order.
_TEXT: Final = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
# In SQLite only an INTEGER key is the row's own number; a BIGINT one would cost a
# second index. Both are 64 bits wide there.
_ROW: Final = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Create the first tables."""
    op.create_table(
        "ledger_voucher",
        sa.Column("id", _ROW, primary_key=True, autoincrement=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("issuer", _TEXT, nullable=False),
        sa.Column("adm_div", _TEXT, nullable=False),
        sa.Column("fiscal_year", sa.Integer, nullable=False),
        sa.Column("type_code", sa.Integer, nullable=False),
        sa.Column("number", _TEXT, nullable=False),
        sa.Column("issue", sa.Integer, nullable=False),
        sa.Column("role", sa.SmallInteger, nullable=False),
        sa.Column("amount_fen", sa.BigInteger, nullable=False),
        sa.Column("count", sa.BigInteger, nullable=False),
    )
    op.create_index("ledger_voucher_digest", "ledger_voucher", ["digest"], unique=True)
    op.create_index("ledger_voucher_number", "ledger_voucher", ["number"])
    op.create_table(
        "ledger_act",
        sa.Column("index", _ROW, primary_key=True, autoincrement=False),
        sa.Column("voucher", sa.BigInteger, nullable=False),
        sa.Column("act", sa.SmallInteger, nullable=False),
        sa.Column("kind", sa.SmallInteger, nullable=False),
        sa.Column("recipients", _TEXT, nullable=False),
        sa.Column("time_us", sa.BigInteger, nullable=False),
    )
    op.create_index("ledger_act_voucher", "ledger_act", ["voucher", "index"])
    op.create_table(
        "ledger_standing",
        sa.Column("voucher", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("recipient", _TEXT, primary_key=True),
        sa.Column("issuer", _TEXT, nullable=False),
        sa.Column("standing", sa.SmallInteger, nullable=False),
        sa.Column("leaf", sa.BigInteger, nullable=False),
        sa.Column("changed_us", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ledger_standing_issuer", "ledger_standing", ["issuer", "leaf", "recipient"]
    )
    op.create_index(
        "ledger_standing_recipient", "ledger_standing", ["recipient", "leaf"]
    )
