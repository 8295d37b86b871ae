"""The tables, as SQLAlchemy Core sees them. What a column means stands beside it.

Times are microseconds since 1970 UTC, money is integer nano-dollars, durations microseconds.
"""

from __future__ import annotations

import sqlalchemy as sa

metadata = sa.MetaData()

installation = sa.Table(
    "installation",
    metadata,
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
    comment="Facts about this installation, such as the secret that keys its hashes.",
)

revisions = sa.Table(
    "revisions",
    metadata,
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("value", sa.BigInteger, nullable=False),
    comment="Counters that rise with each change, so that every process sees when to look again.",
)

projects = sa.Table(
    "projects",
    metadata,
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("description", sa.Text, nullable=False, server_default=""),
    sa.Column("created_at_us", sa.BigInteger, nullable=False),
    sa.Column("archived_at_us", sa.BigInteger),
)

keys = sa.Table(
    "keys",
    metadata,
    sa.Column("id", sa.String(48), primary_key=True),
    sa.Column("project", sa.String(64), sa.ForeignKey("projects.name"), nullable=False),
    sa.Column("name", sa.String(128), nullable=False),
    sa.Column("role", sa.String(16), nullable=False),
    sa.Column("hash", sa.LargeBinary(32), nullable=False, unique=True),
    sa.Column("hint", sa.String(16), nullable=False, comment="the key's last characters"),
    sa.Column("models", sa.Text, nullable=False, comment="JSON list of patterns; empty allows all"),
    sa.Column(
        "workflows", sa.Text, nullable=False, comment="JSON list of patterns; empty allows all"
    ),
    sa.Column("networks", sa.Text, nullable=False, comment="JSON list of CIDRs; empty allows all"),
    sa.Column("created_at_us", sa.BigInteger, nullable=False),
    sa.Column("created_by", sa.String(48), nullable=False),
    sa.Column("expires_at_us", sa.BigInteger),
    sa.Column("revoked_at_us", sa.BigInteger),
    sa.Column("replaced_by", sa.String(48)),
    sa.Index("keys_by_project", "project"),
)

calls = sa.Table(
    "calls",
    metadata,
    # The order of these columns is the order of `ledger.record.CallRecord`'s fields.
    sa.Column("id", sa.String(48), primary_key=True),
    sa.Column("started_at_us", sa.BigInteger, nullable=False),
    sa.Column("project", sa.String(64), nullable=False),
    sa.Column("key_id", sa.String(48), nullable=False),
    sa.Column("endpoint", sa.String(32), nullable=False),
    sa.Column("feature", sa.String(64)),
    sa.Column("user_hash", sa.String(32), comment="keyed hash of the end user"),
    sa.Column("workflow", sa.String(64)),
    sa.Column("run_id", sa.String(48)),
    sa.Column("route", sa.String(64)),
    sa.Column("model_requested", sa.String(256)),
    sa.Column("provider", sa.String(64)),
    sa.Column("model_answered", sa.String(256)),
    sa.Column("streamed", sa.Boolean, nullable=False),
    sa.Column("status", sa.Integer, nullable=False, comment="HTTP status the client was answered"),
    sa.Column("error_class", sa.String(64)),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("cache", sa.String(8), nullable=False),
    sa.Column("input_tokens", sa.BigInteger),
    sa.Column("cached_tokens", sa.BigInteger),
    sa.Column("cache_write_tokens", sa.BigInteger),
    sa.Column("output_tokens", sa.BigInteger),
    sa.Column("reasoning_tokens", sa.BigInteger),
    sa.Column("input_audio_tokens", sa.BigInteger),
    sa.Column("output_audio_tokens", sa.BigInteger),
    sa.Column("tokens_estimated", sa.Boolean, nullable=False),
    sa.Column("service_tier", sa.String(32)),
    sa.Column("cost_nanousd", sa.BigInteger, comment="null: no price is known"),
    sa.Column("price_version", sa.String(64)),
    sa.Column("latency_us", sa.BigInteger, nullable=False),
    sa.Column("first_token_us", sa.BigInteger),
    sa.Column("response_id", sa.String(128), comment="the provider's name for a stored response"),
    sa.Column("upstream_request_id", sa.String(128)),
    sa.Column("trace_id", sa.String(32), nullable=False),
    sa.Column("simulated", sa.Boolean, nullable=False),
    # Identifiers begin with the time, so the primary key also serves "since"; each further index
    # would be paid for by every call.
    sa.Index(
        "calls_by_run",
        "run_id",
        sqlite_where=sa.text("run_id IS NOT NULL"),
        postgresql_where=sa.text("run_id IS NOT NULL"),
    ),
    sa.Index(
        "calls_by_response",
        "response_id",
        sqlite_where=sa.text("response_id IS NOT NULL"),
        postgresql_where=sa.text("response_id IS NOT NULL"),
    ),
    sqlite_with_rowid=False,
)

runs = sa.Table(
    "runs",
    metadata,
    sa.Column("id", sa.String(48), primary_key=True),
    sa.Column("project", sa.String(64), nullable=False),
    sa.Column("key_id", sa.String(48), nullable=False),
    sa.Column("workflow", sa.String(64), nullable=False),
    sa.Column("version", sa.String(64), nullable=False),
    sa.Column("digest", sa.String(71), nullable=False, comment="sha256:… of the folder"),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("fallback", sa.Boolean, nullable=False),
    sa.Column("feature", sa.String(64)),
    sa.Column("user_hash", sa.String(32)),
    sa.Column("created_at_us", sa.BigInteger, nullable=False),
    sa.Column("finished_at_us", sa.BigInteger),
    sa.Column("steps", sa.Text, nullable=False, comment="JSON list of what happened, no contents"),
    sa.Column("error", sa.Text, comment="JSON of the error, where the run failed"),
    sa.Column("trace_id", sa.String(32), nullable=False),
    sa.Index("runs_by_project", "project", "created_at_us"),
    sa.Index("runs_by_workflow", "workflow", "created_at_us"),
)

run_contents = sa.Table(
    "run_contents",
    metadata,
    sa.Column("run_id", sa.String(48), sa.ForeignKey("runs.id"), primary_key=True),
    sa.Column("input", sa.Text, nullable=False),
    sa.Column("output", sa.Text),
    sa.Column("problems", sa.Text, comment="JSON: what checks found, a list for each step"),
    comment="What people wrote and models answered, apart from the metadata.",
)

idempotency_keys = sa.Table(
    "idempotency_keys",
    metadata,
    sa.Column("project", sa.String(64), primary_key=True),
    sa.Column("scope", sa.String(96), primary_key=True, comment="what the key belongs to"),
    sa.Column("key", sa.String(256), primary_key=True),
    sa.Column("body_hash", sa.String(64), nullable=False),
    sa.Column("run_id", sa.String(48), nullable=False),
    sa.Column("created_at_us", sa.BigInteger, nullable=False),
)

objects = sa.Table(
    "objects",
    metadata,
    sa.Column("id", sa.String(128), primary_key=True, comment="the provider's name for it"),
    sa.Column("kind", sa.String(32), primary_key=True),
    sa.Column("provider", sa.String(64), primary_key=True),
    sa.Column("project", sa.String(64), nullable=False),
    sa.Column("key_id", sa.String(48), nullable=False, comment="the key that made it"),
    sa.Column("created_at_us", sa.BigInteger, nullable=False),
    sa.Column("settled_at_us", sa.BigInteger, comment="when what it used was recorded"),
    sa.Index("objects_by_project", "project", "kind", "provider"),
    comment="Whose what a provider keeps is: files, batches, vector stores and their like.",
)
