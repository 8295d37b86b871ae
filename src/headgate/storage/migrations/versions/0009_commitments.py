"""What was begun here and is paid for when it ends."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0006"

_WITHOUT_HOLDS = """
INSERT INTO commitments
  (kind, object_id, provider, project, key_id, trace_id, simulated, held, made_at_us, looks,
   due_at_us)
SELECT 'batch', id, provider, project, key_id, '', :no, '[]', created_at_us, 0, created_at_us
FROM objects WHERE kind = 'batch' AND settled_at_us IS NULL
"""
"""Batches that were begun before they held anything: what they cost is recorded all the same."""


def upgrade() -> None:
    op.create_table(
        "commitments",
        sa.Column("kind", sa.String(16), primary_key=True),
        sa.Column("object_id", sa.String(128), primary_key=True),
        sa.Column("provider", sa.String(64), primary_key=True),
        sa.Column("provider_key", sa.String(64)),
        sa.Column("project", sa.String(64), nullable=False),
        sa.Column("key_id", sa.String(48), nullable=False),
        sa.Column("feature", sa.String(64)),
        sa.Column("user_hash", sa.String(32)),
        sa.Column("workflow", sa.String(64)),
        sa.Column("run_id", sa.String(48)),
        sa.Column("route", sa.String(64)),
        sa.Column("model", sa.String(256)),
        sa.Column("trace_id", sa.String(32), nullable=False),
        sa.Column("simulated", sa.Boolean(), nullable=False),
        sa.Column("held", sa.Text(), nullable=False),
        sa.Column("reserved_nanousd", sa.BigInteger()),
        sa.Column("made_at_us", sa.BigInteger(), nullable=False),
        sa.Column("looks", sa.Integer(), nullable=False),
        sa.Column("due_at_us", sa.BigInteger(), nullable=False),
        sa.Column("settled_at_us", sa.BigInteger()),
        sa.Column("ended", sa.String(16)),
    )
    op.create_index("commitments_due", "commitments", ["settled_at_us", "due_at_us"])
    op.execute(sa.text(_WITHOUT_HOLDS).bindparams(no=False))
