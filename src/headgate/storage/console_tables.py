"""The tables of the console: who may sign in, who is signed in, and how often someone tried."""

from __future__ import annotations

import sqlalchemy as sa

from headgate.storage.schema import metadata

users = sa.Table(
    "users",
    metadata,
    sa.Column("id", sa.String(48), primary_key=True),
    sa.Column("name", sa.String(64), nullable=False, unique=True),
    sa.Column("project", sa.String(64), sa.ForeignKey("projects.name"), nullable=False),
    sa.Column("role", sa.String(16), nullable=False),
    sa.Column("password_hash", sa.String(256), nullable=False, comment="Argon2id, encoded"),
    sa.Column("created_at_us", sa.BigInteger, nullable=False),
    sa.Column("disabled_at_us", sa.BigInteger),
    comment="People who sign in to the console with a name and a password.",
)

sessions = sa.Table(
    "sessions",
    metadata,
    sa.Column("digest", sa.LargeBinary(32), primary_key=True, comment="SHA-256 of the token"),
    sa.Column("kind", sa.String(8), nullable=False, comment="key or user"),
    sa.Column("holder", sa.String(48), nullable=False, comment="id of the key or the user"),
    sa.Column("created_at_us", sa.BigInteger, nullable=False),
    sa.Column("seen_at_us", sa.BigInteger, nullable=False, comment="to the minute"),
    sa.Column("ends_at_us", sa.BigInteger, nullable=False),
    sa.Index("sessions_by_holder", "holder"),
    sa.Index("sessions_by_end", "ends_at_us"),
    comment="Who is signed in to the console; the token itself is only with the browser.",
)

sign_in_attempts = sa.Table(
    "sign_in_attempts",
    metadata,
    sa.Column("id", sa.String(48), primary_key=True),
    sa.Column("subject", sa.String(64), nullable=False, comment="hash of an address or a name"),
    sa.Column("at_us", sa.BigInteger, nullable=False),
    sa.Index("sign_in_attempts_by_subject", "subject", "at_us"),
    sa.Index("sign_in_attempts_by_time", "at_us"),
    comment="Attempts to sign in that have not succeeded; kept for an hour.",
)
