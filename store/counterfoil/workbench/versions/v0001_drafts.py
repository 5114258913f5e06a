"""Drafts with their seals.

A migration states its tables itself, and not by `counterfoil.workbench.tables`:
it must make in ten years what it makes today.
"""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "workbench_0001"
down_revision: Final = None


def upgrade() -> None:
    """Create the first table."""
    op.create_table(
        "workbench_draft",
        sa.Column("party", sa.Text, primary_key=True),
        sa.Column("digest", sa.LargeBinary, primary_key=True),
        sa.Column("key", sa.LargeBinary, nullable=False),
        sa.Column("payload", sa.LargeBinary, nullable=False),
        sa.Column("recipients", sa.Text, nullable=False),
        sa.Column("seal_count", sa.SmallInteger, nullable=False),
        sa.Column("seals", sa.LargeBinary, nullable=False),
        sa.Column("changed_us", sa.BigInteger, nullable=False),
    )
    op.create_index(
        "workbench_draft_key", "workbench_draft", ["party", "key"], unique=True
    )
    op.create_index("workbench_draft_changed", "workbench_draft", ["changed_us"])
