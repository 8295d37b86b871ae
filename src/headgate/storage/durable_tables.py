"""The tables of runs that outlive their process. `storage.schema` holds the others."""

from __future__ import annotations

import sqlalchemy as sa

from headgate.storage.schema import metadata

run_orders = sa.Table(
    "run_orders",
    metadata,
    sa.Column("run_id", sa.String(48), sa.ForeignKey("runs.id"), primary_key=True),
    sa.Column("body", sa.Text, nullable=False, comment="JSON: who asked and how; no input"),
    sa.Column("priority", sa.Integer, nullable=False, comment="1 goes first"),
    sa.Column("deadline_at_us", sa.BigInteger, comment="null: none"),
    sa.Column("webhook", sa.Text, comment="the address that is told of the end"),
    sa.Column(
        "leg",
        sa.Integer,
        nullable=False,
        server_default="0",
        comment="times it went on after a wait",
    ),
    comment="Asynchronous runs that have not ended; a row goes with its run's end.",
)

run_executors = sa.Table(
    "run_executors",
    metadata,
    sa.Column("id", sa.String(48), primary_key=True),
    sa.Column("place", sa.String(128), nullable=False, comment="machine and process namespace"),
    sa.Column("process", sa.String(64), nullable=False, comment="its number and when it began"),
    sa.Column("seen_at_us", sa.BigInteger, nullable=False, comment="by the database's clock"),
    comment="The processes that carry asynchronous runs.",
)

run_webhooks = sa.Table(
    "run_webhooks",
    metadata,
    sa.Column("id", sa.String(48), primary_key=True),
    sa.Column("run_id", sa.String(48), nullable=False),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("body", sa.Text, nullable=False, comment="JSON of what is told; no contents"),
    sa.Column("state", sa.String(8), nullable=False, comment="waiting, sent or dead"),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("due_at_us", sa.BigInteger, nullable=False),
    sa.Index("run_webhooks_due", "state", "due_at_us"),
    comment="What is to be told of ended runs; written with their end.",
)

run_schedules = sa.Table(
    "run_schedules",
    metadata,
    sa.Column("workflow", sa.String(64), primary_key=True),
    sa.Column("last_tick_us", sa.BigInteger, nullable=False, comment="the newest that was begun"),
    comment="How far each schedule is; who moves it on begins the tick's run.",
)
