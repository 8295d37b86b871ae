"""The tables of rolled-up usage: sums of `calls` by slots of time, made in the background."""

from __future__ import annotations

import sqlalchemy as sa

from headgate.storage.schema import metadata

LATENCY_BUCKETS = 28
"""How many buckets the histogram of latencies has; `ledger.rollups.latency` says which."""

usage_rollups = sa.Table(
    "usage_rollups",
    metadata,
    sa.Column("span_s", sa.Integer, primary_key=True, autoincrement=False, comment="slot's length"),
    sa.Column(
        "split",
        sa.String(8),
        primary_key=True,
        comment="which columns are told apart besides the project: none, one of them, or all",
    ),
    sa.Column("start_s", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("project", sa.String(64), primary_key=True),
    sa.Column("workflow", sa.String(64), primary_key=True, comment="empty: none"),
    sa.Column("model", sa.String(256), primary_key=True, comment="answered, else asked for"),
    sa.Column("feature", sa.String(64), primary_key=True, comment="empty: none"),
    sa.Column("calls", sa.BigInteger, nullable=False),
    sa.Column("errors", sa.BigInteger, nullable=False),
    sa.Column("limited", sa.BigInteger, nullable=False, comment="answered 429"),
    sa.Column("input_tokens", sa.BigInteger, nullable=False),
    sa.Column("cached_tokens", sa.BigInteger, nullable=False),
    sa.Column("output_tokens", sa.BigInteger, nullable=False),
    sa.Column("cost_nanousd", sa.BigInteger, nullable=False),
    sa.Column("unpriced", sa.BigInteger, nullable=False, comment="used something, price unknown"),
    sa.Column("simulated", sa.BigInteger, nullable=False),
    sa.Column("cache_hits", sa.BigInteger, nullable=False),
    sa.Column("cache_misses", sa.BigInteger, nullable=False),
    sa.Column("saved_nanousd", sa.BigInteger, nullable=False),
    *(
        sa.Column(f"latency_{bucket}", sa.BigInteger, nullable=False)
        for bucket in range(LATENCY_BUCKETS)
    ),
    sqlite_with_rowid=False,
    comment="Sums of calls; the ledger itself stays what counts.",
)

rollup_marks = sa.Table(
    "rollup_marks",
    metadata,
    sa.Column("name", sa.String(32), primary_key=True),
    sa.Column("until_s", sa.BigInteger, nullable=False),
    comment="Until when calls are rolled up.",
)
