"""What attempts cost whose answers were not used."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.add_column("attempts", sa.Column("input_tokens", sa.BigInteger()))
    op.add_column("attempts", sa.Column("output_tokens", sa.BigInteger()))
    op.add_column("attempts", sa.Column("cost_nanousd", sa.BigInteger()))
