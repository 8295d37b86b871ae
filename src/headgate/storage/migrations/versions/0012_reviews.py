"""What people are asked and decide, and what they grant beyond a budget."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.create_table(
        "reviews",
        sa.Column("id", sa.String(48), primary_key=True),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("once", sa.String(320), nullable=False, unique=True),
        sa.Column("project", sa.String(64)),
        sa.Column("run_id", sa.String(48)),
        sa.Column("workflow", sa.String(64)),
        sa.Column("version_of_workflow", sa.String(64)),
        sa.Column("digest", sa.String(71)),
        sa.Column("requested_by", sa.String(48), nullable=False),
        sa.Column("reasons", sa.Text(), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("reviewers", sa.String(64)),
        sa.Column("four_eyes", sa.Boolean(), nullable=False),
        sa.Column("has_draft", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("claimed_by", sa.String(48)),
        sa.Column("claimed_until_us", sa.BigInteger(), nullable=False),
        sa.Column("created_at_us", sa.BigInteger(), nullable=False),
        sa.Column("since_us", sa.BigInteger(), nullable=False),
        sa.Column("due_at_us", sa.BigInteger()),
        sa.Column("next_at_us", sa.BigInteger()),
        sa.Column("reminders", sa.Integer(), nullable=False),
        sa.Column("deadline", sa.Text()),
        sa.Column("urgency_us", sa.BigInteger(), nullable=False),
        sa.Column("decision", sa.String(16)),
        sa.Column("decided_by", sa.String(48)),
        sa.Column("decided_at_us", sa.BigInteger()),
        sa.Column("edit_distance", sa.Integer()),
        sa.Column("edit_share", sa.Double()),
    )
    for name, columns, where in (
        ("reviews_waiting", ["urgency_us", "id"], "decision IS NULL"),
        ("reviews_waiting_by_kind", ["kind", "workflow", "project"], "decision IS NULL"),
        ("reviews_decided", ["kind", "decided_at_us"], "decision IS NOT NULL"),
        ("reviews_decided_by_workflow", ["workflow", "decided_at_us"], "decision IS NOT NULL"),
    ):
        op.create_index(
            name,
            "reviews",
            columns,
            sqlite_where=sa.text(where),
            postgresql_where=sa.text(where),
        )
    op.create_index("reviews_by_run", "reviews", ["run_id"])
    op.create_index(
        "reviews_to_look_after",
        "reviews",
        ["next_at_us"],
        sqlite_where=sa.text("next_at_us IS NOT NULL"),
        postgresql_where=sa.text("next_at_us IS NOT NULL"),
    )
    op.create_table(
        "review_contents",
        sa.Column("review_id", sa.String(48), sa.ForeignKey("reviews.id"), primary_key=True),
        sa.Column("draft", sa.Text()),
        sa.Column("explained", sa.Text(), nullable=False),
        sa.Column("output_schema", sa.Text()),
    )
    op.create_table(
        "review_events",
        sa.Column("review_id", sa.String(48), sa.ForeignKey("reviews.id"), primary_key=True),
        sa.Column("number", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("what", sa.String(16), nullable=False),
        sa.Column("actor", sa.String(48), nullable=False),
        sa.Column("detail", sa.String(128)),
        sa.Column("note", sa.Text()),
    )
    op.add_column("runs", sa.Column("review_id", sa.String(48)))
    op.add_column(
        "allowances",
        sa.Column("extra", sa.BigInteger(), nullable=False, server_default=sa.text("0")),
    )
