"""The cache of answers: what is kept, what was cleared, and what a call saved by it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("calls", sa.Column("saved_nanousd", sa.BigInteger()))
    op.create_table(
        "cached_answers",
        sa.Column("key", sa.LargeBinary(32), primary_key=True),
        sa.Column("project", sa.String(64), nullable=False),
        sa.Column("workflow", sa.String(64)),
        sa.Column("model", sa.String(256), nullable=False),
        sa.Column("tags", sa.Text(), nullable=False),
        sa.Column("asked_at_us", sa.BigInteger(), nullable=False),
        sa.Column("usable_until_us", sa.BigInteger(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("answer", sa.LargeBinary(), nullable=False),
    )
    op.create_index("cached_answers_by_end", "cached_answers", ["usable_until_us"])
    op.create_table(
        "cache_near_misses",
        sa.Column("id", sa.String(48), primary_key=True),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("project", sa.String(64), nullable=False),
        sa.Column("workflow", sa.String(64), nullable=False),
        sa.Column("similarity", sa.Double(), nullable=False),
        sa.Column("threshold", sa.Double(), nullable=False),
        sa.Column("run_id", sa.String(48)),
        sa.Column("like_run_id", sa.String(48)),
        sa.Column("same", sa.Boolean(), nullable=False),
    )
    op.create_index("cache_near_misses_by_time", "cache_near_misses", ["at_us"])
    op.create_table(
        "cache_clearings",
        sa.Column("id", sa.String(48), primary_key=True),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("project", sa.String(64)),
        sa.Column("workflow", sa.String(64)),
        sa.Column("prefix", sa.String(256)),
        sa.Column("tag", sa.String(64)),
    )
