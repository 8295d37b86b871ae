"""What was hidden from models, encrypted."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.create_table(
        "redaction_mappings",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at_us", sa.BigInteger(), nullable=False),
    )
    op.create_index("redaction_mappings_by_end", "redaction_mappings", ["expires_at_us"])
    op.add_column("calls", sa.Column("guards", sa.Text()))
