"""Allowances, the processes that lease shares of them, and the alerts about them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "allowances",
        sa.Column("rule", sa.String(600), primary_key=True),
        sa.Column("subject", sa.String(320), primary_key=True),
        sa.Column("period_us", sa.BigInteger(), primary_key=True),
        sa.Column("taken", sa.BigInteger(), nullable=False),
        sa.Column("spent", sa.BigInteger(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("touched_at_us", sa.BigInteger(), nullable=False),
    )
    op.create_index("allowances_by_touch", "allowances", ["touched_at_us"])
    op.create_table(
        "allowance_holders",
        sa.Column("holder", sa.String(48), primary_key=True),
        sa.Column("turn", sa.BigInteger(), nullable=False),
        sa.Column("seen_at_us", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "alert_deliveries",
        sa.Column("rule", sa.String(600), primary_key=True),
        sa.Column("subject", sa.String(320), primary_key=True),
        sa.Column("period_us", sa.BigInteger(), primary_key=True),
        sa.Column("threshold", sa.Integer(), primary_key=True),
        sa.Column("channel", sa.String(96), primary_key=True),
        sa.Column("id", sa.String(48), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at_us", sa.BigInteger(), nullable=False),
    )
    op.create_index("alert_deliveries_due", "alert_deliveries", ["state", "due_at_us"])
