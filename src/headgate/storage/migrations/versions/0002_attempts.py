"""The attempts of calls, and the name of the provider's key that a call used."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("calls", sa.Column("provider_key", sa.String(64)))
    op.create_table(
        "attempts",
        sa.Column("call_id", sa.String(48), primary_key=True),
        sa.Column("number", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("reason", sa.String(16), nullable=False),
        sa.Column("provider", sa.String(64), nullable=False),
        sa.Column("model", sa.String(256), nullable=False),
        sa.Column("provider_key", sa.String(64)),
        sa.Column("status", sa.Integer()),
        sa.Column("error_class", sa.String(64)),
        sa.Column("latency_us", sa.BigInteger(), nullable=False),
        sqlite_with_rowid=False,
    )
