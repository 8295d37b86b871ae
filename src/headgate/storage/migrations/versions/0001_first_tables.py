"""The first tables: projects and keys, calls, runs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "calls",
        sa.Column("id", sa.String(48), primary_key=True),
        sa.Column("started_at_us", sa.BigInteger(), nullable=False),
        sa.Column("project", sa.String(64), nullable=False),
        sa.Column("key_id", sa.String(48), nullable=False),
        sa.Column("endpoint", sa.String(32), nullable=False),
        sa.Column("feature", sa.String(64)),
        sa.Column("user_hash", sa.String(32)),
        sa.Column("workflow", sa.String(64)),
        sa.Column("run_id", sa.String(48)),
        sa.Column("route", sa.String(64)),
        sa.Column("model_requested", sa.String(256)),
        sa.Column("provider", sa.String(64)),
        sa.Column("model_answered", sa.String(256)),
        sa.Column("streamed", sa.Boolean(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("error_class", sa.String(64)),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("cache", sa.String(8), nullable=False),
        sa.Column("input_tokens", sa.BigInteger()),
        sa.Column("cached_tokens", sa.BigInteger()),
        sa.Column("cache_write_tokens", sa.BigInteger()),
        sa.Column("output_tokens", sa.BigInteger()),
        sa.Column("reasoning_tokens", sa.BigInteger()),
        sa.Column("input_audio_tokens", sa.BigInteger()),
        sa.Column("output_audio_tokens", sa.BigInteger()),
        sa.Column("tokens_estimated", sa.Boolean(), nullable=False),
        sa.Column("service_tier", sa.String(32)),
        sa.Column("cost_nanousd", sa.BigInteger()),
        sa.Column("price_version", sa.String(64)),
        sa.Column("latency_us", sa.BigInteger(), nullable=False),
        sa.Column("first_token_us", sa.BigInteger()),
        sa.Column("response_id", sa.String(128)),
        sa.Column("upstream_request_id", sa.String(128)),
        sa.Column("trace_id", sa.String(32), nullable=False),
        sa.Column("simulated", sa.Boolean(), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "calls_by_response",
        "calls",
        ["response_id"],
        sqlite_where=sa.text("response_id IS NOT NULL"),
        postgresql_where=sa.text("response_id IS NOT NULL"),
    )
    op.create_index(
        "calls_by_run",
        "calls",
        ["run_id"],
        sqlite_where=sa.text("run_id IS NOT NULL"),
        postgresql_where=sa.text("run_id IS NOT NULL"),
    )
    op.create_table(
        "idempotency_keys",
        sa.Column("project", sa.String(64), primary_key=True),
        sa.Column("scope", sa.String(96), primary_key=True),
        sa.Column("key", sa.String(256), primary_key=True),
        sa.Column("body_hash", sa.String(64), nullable=False),
        sa.Column("run_id", sa.String(48), nullable=False),
        sa.Column("created_at_us", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "installation",
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("value", sa.Text(), nullable=False),
    )
    op.create_table(
        "projects",
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("description", sa.Text(), nullable=False, server_default=""),
        sa.Column("created_at_us", sa.BigInteger(), nullable=False),
        sa.Column("archived_at_us", sa.BigInteger()),
    )
    op.create_table(
        "revisions",
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("value", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "runs",
        sa.Column("id", sa.String(48), primary_key=True),
        sa.Column("project", sa.String(64), nullable=False),
        sa.Column("key_id", sa.String(48), nullable=False),
        sa.Column("workflow", sa.String(64), nullable=False),
        sa.Column("version", sa.String(64), nullable=False),
        sa.Column("digest", sa.String(71), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("fallback", sa.Boolean(), nullable=False),
        sa.Column("feature", sa.String(64)),
        sa.Column("user_hash", sa.String(32)),
        sa.Column("created_at_us", sa.BigInteger(), nullable=False),
        sa.Column("finished_at_us", sa.BigInteger()),
        sa.Column("steps", sa.Text(), nullable=False),
        sa.Column("error", sa.Text()),
        sa.Column("trace_id", sa.String(32), nullable=False),
    )
    op.create_index("runs_by_project", "runs", ["project", "created_at_us"])
    op.create_index("runs_by_workflow", "runs", ["workflow", "created_at_us"])
    op.create_table(
        "keys",
        sa.Column("id", sa.String(48), primary_key=True),
        sa.Column("project", sa.String(64), sa.ForeignKey("projects.name"), nullable=False),
        sa.Column("name", sa.String(128), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("hash", sa.LargeBinary(32), nullable=False, unique=True),
        sa.Column("hint", sa.String(16), nullable=False),
        sa.Column("models", sa.Text(), nullable=False),
        sa.Column("workflows", sa.Text(), nullable=False),
        sa.Column("networks", sa.Text(), nullable=False),
        sa.Column("created_at_us", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.String(48), nullable=False),
        sa.Column("expires_at_us", sa.BigInteger()),
        sa.Column("revoked_at_us", sa.BigInteger()),
        sa.Column("replaced_by", sa.String(48)),
    )
    op.create_index("keys_by_project", "keys", ["project"])
    op.create_table(
        "run_contents",
        sa.Column("run_id", sa.String(48), sa.ForeignKey("runs.id"), primary_key=True),
        sa.Column("input", sa.Text(), nullable=False),
        sa.Column("output", sa.Text()),
        sa.Column("problems", sa.Text()),
    )
