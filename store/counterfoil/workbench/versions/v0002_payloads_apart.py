"""Payloads in a table of their own.

SQLite writes a whole row again when a value of it changes its length, and reads past
a payload to what stands behind it. A draft gets two reviews, and neither needs the
payload.
"""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "workbench_0002"
down_revision: Final = "workbench_0001"


def upgrade() -> None:
    """Move the payloads of all drafts."""
    op.create_table(
        "workbench_payload",
        sa.Column("party", sa.Text, primary_key=True),
        sa.Column("digest", sa.LargeBinary, primary_key=True),
        sa.Column("payload", sa.LargeBinary, nullable=False),
    )
    op.execute(
        "INSERT INTO workbench_payload (party, digest, payload)"
        " SELECT party, digest, payload FROM workbench_draft"
    )
    with op.batch_alter_table("workbench_draft") as draft:
        draft.drop_column("payload")
