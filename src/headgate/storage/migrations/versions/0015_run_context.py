"""What was gathered for a run, beside its input and output."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    op.add_column("run_contents", sa.Column("context", sa.Text()))
