"""A vault that hosts issuer and recipient has a row for each side of a voucher."""

from __future__ import annotations

from typing import Final

from alembic import op

revision: Final = "ledger_0002"
down_revision: Final = "ledger_0001"


def upgrade() -> None:
    """Let a digest come once on each side."""
    op.drop_index("ledger_voucher_digest", "ledger_voucher")
    op.create_index(
        "ledger_voucher_side", "ledger_voucher", ["digest", "role"], unique=True
    )
