"""The tables of actions and of how often tools are called. `storage.schema` holds the others."""

from __future__ import annotations

import sqlalchemy as sa

from headgate.storage.partial_index import partial_index
from headgate.storage.schema import metadata

actions = sa.Table(
    "actions",
    metadata,
    sa.Column("id", sa.String(48), primary_key=True),
    sa.Column("run_id", sa.String(48), sa.ForeignKey("runs.id"), nullable=False),
    sa.Column("number", sa.Integer, nullable=False, comment="of the run's tool calls, from 1"),
    sa.Column("project", sa.String(64), nullable=False),
    sa.Column("workflow", sa.String(64), nullable=False),
    sa.Column("tool", sa.String(64), nullable=False),
    sa.Column("effect", sa.String(8), nullable=False, comment="read or write"),
    sa.Column("state", sa.String(16), nullable=False, comment="requested, approved, started, …"),
    sa.Column("idempotent", sa.Boolean, nullable=False, comment="whether it may be sent again"),
    sa.Column("requested_at_us", sa.BigInteger, nullable=False),
    sa.Column("review_id", sa.String(48), comment="what a person is, or was, asked about it"),
    sa.Column("decided_by", sa.String(48), comment="a key, or `deadline`"),
    sa.Column("decided_at_us", sa.BigInteger),
    sa.Column(
        "sent_sha256", sa.String(64), comment="of what a person approved; null: nobody had to"
    ),
    sa.Column("executor", sa.String(48), comment="the process that sends it, or did"),
    sa.Column("attempts", sa.Integer, nullable=False, comment="times it was sent"),
    sa.Column("started_at_us", sa.BigInteger),
    sa.Column("ended_at_us", sa.BigInteger),
    sa.Column("code", sa.String(64), comment="what went wrong"),
    sa.UniqueConstraint("run_id", "number", name="actions_of_run"),
    sa.Index("actions_by_project", "project", "id"),
    sa.Index("actions_by_workflow", "workflow", "id"),
    partial_index(
        "actions_not_ended", "state", "id", where="state NOT IN ('done', 'failed', 'refused')"
    ),
    comment="What runs want done, each state stored before the next begins.",
)

action_contents = sa.Table(
    "action_contents",
    metadata,
    sa.Column("action_id", sa.String(48), sa.ForeignKey("actions.id"), primary_key=True),
    sa.Column("arguments", sa.Text, nullable=False, comment="JSON of what is sent"),
    sa.Column("asked", sa.Text, comment="JSON of what the model asked for, where it was changed"),
    sa.Column("result", sa.Text, comment="JSON of what came back"),
    comment="What actions say and are told, apart from the metadata.",
)

tool_windows = sa.Table(
    "tool_windows",
    metadata,
    sa.Column("tool", sa.String(129), primary_key=True, comment="workflow and tool"),
    sa.Column("window", sa.String(16), primary_key=True, comment="hour or day"),
    sa.Column("began_s", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("used", sa.Integer, nullable=False),
    comment="Calls of tools that have a limit, in each window.",
)
