"""Users and sessions of the console, rolled-up usage, and indexes for pages of runs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"

_LATENCY_BUCKETS = 28


def upgrade() -> None:
    _people()
    _rollups()
    _runs()


def _people() -> None:
    op.create_table(
        "users",
        sa.Column("id", sa.String(48), primary_key=True),
        sa.Column("name", sa.String(64), nullable=False, unique=True),
        sa.Column("project", sa.String(64), sa.ForeignKey("projects.name"), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("password_hash", sa.String(256), nullable=False),
        sa.Column("created_at_us", sa.BigInteger(), nullable=False),
        sa.Column("disabled_at_us", sa.BigInteger()),
    )
    op.create_table(
        "sessions",
        sa.Column("digest", sa.LargeBinary(32), primary_key=True),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("holder", sa.String(48), nullable=False),
        sa.Column("created_at_us", sa.BigInteger(), nullable=False),
        sa.Column("seen_at_us", sa.BigInteger(), nullable=False),
        sa.Column("ends_at_us", sa.BigInteger(), nullable=False),
    )
    op.create_index("sessions_by_holder", "sessions", ["holder"])
    op.create_index("sessions_by_end", "sessions", ["ends_at_us"])
    op.create_table(
        "sign_in_attempts",
        sa.Column("id", sa.String(48), primary_key=True),
        sa.Column("subject", sa.String(64), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
    )
    op.create_index("sign_in_attempts_by_subject", "sign_in_attempts", ["subject", "at_us"])
    op.create_index("sign_in_attempts_by_time", "sign_in_attempts", ["at_us"])


def _rollups() -> None:
    sums = (
        "calls", "errors", "limited", "input_tokens", "cached_tokens", "output_tokens",
        "cost_nanousd", "unpriced", "simulated", "cache_hits", "cache_misses", "saved_nanousd",
        *(f"latency_{bucket}" for bucket in range(_LATENCY_BUCKETS)),
    )  # fmt: skip
    op.create_table(
        "usage_rollups",
        sa.Column("span_s", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("split", sa.String(8), primary_key=True),
        sa.Column("start_s", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("project", sa.String(64), primary_key=True),
        sa.Column("workflow", sa.String(64), primary_key=True),
        sa.Column("model", sa.String(256), primary_key=True),
        sa.Column("feature", sa.String(64), primary_key=True),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in sums),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "rollup_marks",
        sa.Column("name", sa.String(32), primary_key=True),
        sa.Column("until_s", sa.BigInteger(), nullable=False),
    )


def _runs() -> None:
    op.drop_index("runs_by_project", "runs")
    op.drop_index("runs_by_workflow", "runs")
    op.create_index("runs_by_project", "runs", ["project", "id"])
    op.create_index("runs_by_workflow", "runs", ["workflow", "id"])
    op.create_index("runs_by_version", "runs", ["workflow", "version", "id"])
    named = sa.text("feature IS NOT NULL")
    op.create_index(
        "runs_by_feature", "runs", ["feature", "id"], sqlite_where=named, postgresql_where=named
    )
    open_ = sa.text("status <> 'completed'")
    for name, columns in (
        ("runs_not_completed", ["status", "id"]),
        ("runs_not_completed_by_project", ["project", "status", "id"]),
        ("runs_not_completed_by_workflow", ["workflow", "status", "id"]),
    ):
        op.create_index(name, "runs", columns, sqlite_where=open_, postgresql_where=open_)
