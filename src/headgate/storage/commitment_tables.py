"""The table of what is paid for when it ends. `storage.schema` holds the others."""

from __future__ import annotations

import sqlalchemy as sa

from headgate.storage.schema import metadata

commitments = sa.Table(
    "commitments",
    metadata,
    sa.Column("kind", sa.String(16), primary_key=True, comment="batch or response"),
    sa.Column("object_id", sa.String(128), primary_key=True, comment="the provider's name for it"),
    sa.Column("provider", sa.String(64), primary_key=True),
    sa.Column("provider_key", sa.String(64), comment="its name, where the provider has several"),
    sa.Column("project", sa.String(64), nullable=False),
    sa.Column("key_id", sa.String(48), nullable=False),
    sa.Column("feature", sa.String(64)),
    sa.Column("user_hash", sa.String(32)),
    sa.Column("workflow", sa.String(64)),
    sa.Column("run_id", sa.String(48)),
    sa.Column("route", sa.String(64)),
    sa.Column("model", sa.String(256), comment="as the provider was asked for it"),
    sa.Column("trace_id", sa.String(32), nullable=False),
    sa.Column("simulated", sa.Boolean, nullable=False),
    sa.Column("held", sa.Text, nullable=False, comment="JSON: what it holds of which allowances"),
    sa.Column("reserved_nanousd", sa.BigInteger, comment="its worst case; null: nobody knows"),
    sa.Column("made_at_us", sa.BigInteger, nullable=False),
    sa.Column("looks", sa.Integer, nullable=False, comment="how often a worker asked after it"),
    sa.Column("due_at_us", sa.BigInteger, nullable=False, comment="when the next one does"),
    sa.Column("settled_at_us", sa.BigInteger, comment="null: it goes on"),
    sa.Column("ended", sa.String(16), comment="how it ended"),
    sa.Index("commitments_due", "settled_at_us", "due_at_us"),
    comment="Batches and background responses: what they hold of budgets until they end.",
)
