"""Actions: what runs want done and how far each has come; runs that go on after a wait."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    op.create_table(
        "actions",
        sa.Column("id", sa.String(48), primary_key=True),
        sa.Column("run_id", sa.String(48), sa.ForeignKey("runs.id"), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("project", sa.String(64), nullable=False),
        sa.Column("workflow", sa.String(64), nullable=False),
        sa.Column("tool", sa.String(64), nullable=False),
        sa.Column("effect", sa.String(8), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("idempotent", sa.Boolean(), nullable=False),
        sa.Column("requested_at_us", sa.BigInteger(), nullable=False),
        sa.Column("review_id", sa.String(48)),
        sa.Column("decided_by", sa.String(48)),
        sa.Column("decided_at_us", sa.BigInteger()),
        sa.Column("sent_sha256", sa.String(64)),
        sa.Column("executor", sa.String(48)),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("started_at_us", sa.BigInteger()),
        sa.Column("ended_at_us", sa.BigInteger()),
        sa.Column("code", sa.String(64)),
        sa.UniqueConstraint("run_id", "number", name="actions_of_run"),
    )
    op.create_index("actions_by_project", "actions", ["project", "id"])
    op.create_index("actions_by_workflow", "actions", ["workflow", "id"])
    not_ended = sa.text("state NOT IN ('done', 'failed', 'refused')")
    op.create_index(
        "actions_not_ended",
        "actions",
        ["state", "id"],
        sqlite_where=not_ended,
        postgresql_where=not_ended,
    )
    op.create_table(
        "action_contents",
        sa.Column("action_id", sa.String(48), sa.ForeignKey("actions.id"), primary_key=True),
        sa.Column("arguments", sa.Text(), nullable=False),
        sa.Column("asked", sa.Text()),
        sa.Column("result", sa.Text()),
    )
    op.create_table(
        "tool_windows",
        sa.Column("tool", sa.String(129), primary_key=True),
        sa.Column("window", sa.String(16), primary_key=True),
        sa.Column("began_s", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("used", sa.Integer(), nullable=False),
    )
    op.add_column("run_orders", sa.Column("leg", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("run_contents", sa.Column("talk", sa.Text()))
    op.add_column("review_contents", sa.Column("sent", sa.Text()))
