"""The tables, as SQLAlchemy Core sees them. What a column means stands beside it.

Times are microseconds since 1970 UTC, money is integer nano-dollars, durations microseconds.
"""

from __future__ import annotations

import sqlalchemy as sa

from headgate.storage.partial_index import complete_partial_indexes, partial_index

metadata = sa.MetaData()
complete_partial_indexes(metadata)

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
    sa.Index("keys_by_successor", "replaced_by"),
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
    sa.Column("provider_key", sa.String(64), comment="its name, where the provider has several"),
    sa.Column("saved_nanousd", sa.BigInteger, comment="what the cache saved"),
    sa.Column("guards", sa.Text, comment="JSON list of their verdicts; no contents"),
    # Identifiers begin with the time, so the primary key also serves "since"; each further index
    # would be paid for by every call.
    partial_index("calls_by_run", "run_id", where="run_id IS NOT NULL"),
    partial_index("calls_by_response", "response_id", where="response_id IS NOT NULL"),
    sqlite_with_rowid=False,
)

attempts = sa.Table(
    "attempts",
    metadata,
    # The order of these columns is the order of `ledger.attempt.AttemptRecord`'s fields.
    sa.Column("call_id", sa.String(48), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("reason", sa.String(16), nullable=False),
    sa.Column("provider", sa.String(64), nullable=False),
    sa.Column("model", sa.String(256), nullable=False),
    sa.Column("provider_key", sa.String(64)),
    sa.Column("status", sa.Integer, comment="HTTP status that the provider answered"),
    sa.Column("error_class", sa.String(64)),
    sa.Column("latency_us", sa.BigInteger, nullable=False),
    sa.Column("input_tokens", sa.BigInteger, comment="estimate, where it was lost"),
    sa.Column("output_tokens", sa.BigInteger, comment="likewise"),
    sa.Column("cost_nanousd", sa.BigInteger, comment="likewise; part of the call's cost"),
    sqlite_with_rowid=False,
    comment="The attempts of calls that took more than one, or whose one failed.",
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
    sa.Column("review_id", sa.String(48), comment="what a person is, or was, asked about it"),
    # Identifiers begin with the time, and pages of runs go by them.
    sa.Index("runs_by_project", "project", "id"),
    sa.Index("runs_by_workflow", "workflow", "id"),
    sa.Index("runs_by_version", "workflow", "version", "id"),
    partial_index("runs_by_feature", "feature", "id", where="feature IS NOT NULL"),
    # Nearly all runs complete: those that did not are found among few.
    *(
        partial_index(name, *columns, where="status <> 'completed'")
        for name, columns in (
            ("runs_not_completed", ("status", "id")),
            ("runs_not_completed_by_project", ("project", "status", "id")),
            ("runs_not_completed_by_workflow", ("workflow", "status", "id")),
        )
    ),
)

run_contents = sa.Table(
    "run_contents",
    metadata,
    sa.Column("run_id", sa.String(48), sa.ForeignKey("runs.id"), primary_key=True),
    sa.Column("input", sa.Text, nullable=False),
    sa.Column("output", sa.Text),
    sa.Column("problems", sa.Text, comment="JSON: what checks found, a list for each step"),
    sa.Column("context", sa.Text, comment="JSON: what was gathered for the run, by part"),
    sa.Column("talk", sa.Text, comment="JSON: tools asked for and their answers, in order"),
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

cached_answers = sa.Table(
    "cached_answers",
    metadata,
    sa.Column("key", sa.LargeBinary(32), primary_key=True),
    sa.Column("project", sa.String(64), nullable=False),
    sa.Column("workflow", sa.String(64)),
    sa.Column("model", sa.String(256), nullable=False, comment="as it was asked for"),
    sa.Column("tags", sa.Text, nullable=False, comment="each between spaces"),
    sa.Column("asked_at_us", sa.BigInteger, nullable=False),
    sa.Column("usable_until_us", sa.BigInteger, nullable=False),
    sa.Column("size_bytes", sa.BigInteger, nullable=False),
    sa.Column("answer", sa.LargeBinary, nullable=False),
    sa.Index("cached_answers_by_end", "usable_until_us"),
    comment="What models answered, to be given again; contents, and only until they expire.",
)

cache_near_misses = sa.Table(
    "cache_near_misses",
    metadata,
    sa.Column("id", sa.String(48), primary_key=True),
    sa.Column("at_us", sa.BigInteger, nullable=False),
    sa.Column("project", sa.String(64), nullable=False),
    sa.Column("workflow", sa.String(64), nullable=False),
    sa.Column("similarity", sa.Double, nullable=False),
    sa.Column("threshold", sa.Double, nullable=False),
    sa.Column("run_id", sa.String(48)),
    sa.Column("like_run_id", sa.String(48), comment="whose answer would have been given"),
    sa.Column("same", sa.Boolean, nullable=False, comment="whether the model gave the same"),
    sa.Index("cache_near_misses_by_time", "at_us"),
    comment="Inputs that were nearly enough alike; kept for 30 days.",
)

cache_clearings = sa.Table(
    "cache_clearings",
    metadata,
    sa.Column("id", sa.String(48), primary_key=True),
    sa.Column("at_us", sa.BigInteger, nullable=False),
    sa.Column("project", sa.String(64)),
    sa.Column("workflow", sa.String(64)),
    sa.Column("prefix", sa.String(256)),
    sa.Column("tag", sa.String(64)),
    comment="Orders to forget cached answers, for every process to carry out; kept for an hour.",
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
    sa.Column("provider_key", sa.String(64), comment="which of the provider's keys made it"),
    sa.Index("objects_by_project", "project", "kind", "provider"),
    comment="Whose what a provider keeps is: files, batches, vector stores and their like.",
)

response_items = sa.Table(
    "response_items",
    metadata,
    sa.Column("id", sa.String(128), primary_key=True, comment="the provider's name for it"),
    sa.Column("provider", sa.String(64), primary_key=True),
    sa.Column("project", sa.String(64), nullable=False),
    sa.Column("provider_key", sa.String(64), comment="as in `objects`"),
    sa.Column("created_at_us", sa.BigInteger, nullable=False),
    sqlite_with_rowid=False,
    comment="Whose the items of responses are that a provider keeps; no contents.",
)

# Tables with a file of their own; they add themselves to `metadata`.
import headgate.storage.action_tables  # noqa: E402
import headgate.storage.allowance_tables  # noqa: E402
import headgate.storage.commitment_tables  # noqa: E402
import headgate.storage.console_tables  # noqa: E402
import headgate.storage.durable_tables  # noqa: E402
import headgate.storage.redaction_tables  # noqa: E402
import headgate.storage.review_tables  # noqa: E402
import headgate.storage.rollup_tables  # noqa: E402, F401
