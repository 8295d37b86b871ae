"""The table of what was hidden from models, encrypted, for as long as a conversation lasts."""

from __future__ import annotations

import sqlalchemy as sa

from headgate.storage.schema import metadata

redaction_mappings = sa.Table(
    "redaction_mappings",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True, comment="hash of project and conversation"),
    sa.Column("sealed", sa.LargeBinary, nullable=False, comment="encrypted: values hidden"),
    sa.Column("expires_at_us", sa.BigInteger, nullable=False),
    sa.Index("redaction_mappings_by_end", "expires_at_us"),
    comment="Which placeholder stands for which value, for answers that a model goes on from.",
)
