"""Runs that outlive their process: what was ordered, who carries them, who is told, schedules."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.create_table(
        "run_orders",
        sa.Column("run_id", sa.String(48), sa.ForeignKey("runs.id"), primary_key=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("deadline_at_us", sa.BigInteger()),
        sa.Column("webhook", sa.Text()),
    )
    op.create_table(
        "run_executors",
        sa.Column("id", sa.String(48), primary_key=True),
        sa.Column("place", sa.String(128), nullable=False),
        sa.Column("process", sa.String(64), nullable=False),
        sa.Column("seen_at_us", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "run_webhooks",
        sa.Column("id", sa.String(48), primary_key=True),
        sa.Column("run_id", sa.String(48), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at_us", sa.BigInteger(), nullable=False),
    )
    op.create_index("run_webhooks_due", "run_webhooks", ["state", "due_at_us"])
    op.create_table(
        "run_schedules",
        sa.Column("workflow", sa.String(64), primary_key=True),
        sa.Column("last_tick_us", sa.BigInteger(), nullable=False),
    )
