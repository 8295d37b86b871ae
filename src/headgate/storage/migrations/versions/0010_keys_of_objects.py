"""By which of a provider's keys an object was made, and whose the items of responses are."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.add_column("objects", sa.Column("provider_key", sa.String(64)))
    op.create_table(
        "response_items",
        sa.Column("id", sa.String(128), primary_key=True),
        sa.Column("provider", sa.String(64), primary_key=True),
        sa.Column("project", sa.String(64), nullable=False),
        sa.Column("provider_key", sa.String(64)),
        sa.Column("created_at_us", sa.BigInteger(), nullable=False),
        sqlite_with_rowid=False,
    )
