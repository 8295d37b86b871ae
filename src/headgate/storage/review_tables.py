"""The tables of what people are asked and what they decided. `storage.schema` holds the others."""

from __future__ import annotations

import sqlalchemy as sa

from headgate.storage.partial_index import partial_index
from headgate.storage.schema import metadata

_WAITING = "decision IS NULL"
_DECIDED = "decision IS NOT NULL"

reviews = sa.Table(
    "reviews",
    metadata,
    sa.Column("id", sa.String(48), primary_key=True),
    sa.Column("kind", sa.String(8), nullable=False, comment="output, budget or guard"),
    sa.Column("once", sa.String(320), nullable=False, unique=True, comment="what it is about"),
    sa.Column("project", sa.String(64), comment="null: of no project alone"),
    sa.Column("run_id", sa.String(48)),
    sa.Column("workflow", sa.String(64)),
    sa.Column("version_of_workflow", sa.String(64)),
    sa.Column("digest", sa.String(71)),
    sa.Column("requested_by", sa.String(48), nullable=False, comment="the key whose call it was"),
    sa.Column("reasons", sa.Text, nullable=False, comment="JSON list of codes; no contents"),
    sa.Column("facts", sa.Text, nullable=False, comment="JSON of what is asked; no contents"),
    sa.Column("reviewers", sa.String(64), comment="the group that may decide; null: by role"),
    sa.Column("four_eyes", sa.Boolean, nullable=False),
    sa.Column("has_draft", sa.Boolean, nullable=False),
    sa.Column("version", sa.Integer, nullable=False, comment="goes up with each change"),
    sa.Column("claimed_by", sa.String(48)),
    sa.Column("claimed_until_us", sa.BigInteger, nullable=False),
    sa.Column("created_at_us", sa.BigInteger, nullable=False),
    sa.Column("since_us", sa.BigInteger, nullable=False, comment="when its present clock began"),
    sa.Column("due_at_us", sa.BigInteger, comment="when its present clock ends"),
    sa.Column("next_at_us", sa.BigInteger, comment="when somebody must look after it next"),
    sa.Column("reminders", sa.Integer, nullable=False, comment="told since its clock began"),
    sa.Column("deadline", sa.Text, comment="JSON of `review.deadline.Deadline`"),
    sa.Column("urgency_us", sa.BigInteger, nullable=False, comment="what the queue goes by"),
    sa.Column("decision", sa.String(16), comment="null: it is open"),
    sa.Column("decided_by", sa.String(48), comment="a key, or `deadline`"),
    sa.Column("decided_at_us", sa.BigInteger),
    sa.Column("edit_distance", sa.Integer, comment="words that the person changed"),
    sa.Column("edit_share", sa.Double, comment="of all words of the output"),
    # Those that wait and those that are decided apart: the queue is as quick however many were.
    partial_index("reviews_waiting", "urgency_us", "id", where=_WAITING),
    partial_index("reviews_waiting_by_kind", "kind", "workflow", "project", where=_WAITING),
    partial_index("reviews_decided", "kind", "decided_at_us", where=_DECIDED),
    partial_index("reviews_decided_by_workflow", "workflow", "decided_at_us", where=_DECIDED),
    sa.Index("reviews_by_run", "run_id"),
    partial_index("reviews_to_look_after", "next_at_us", where="next_at_us IS NOT NULL"),
    comment="Questions to people: open, or decided.",
)

review_contents = sa.Table(
    "review_contents",
    metadata,
    sa.Column("review_id", sa.String(48), sa.ForeignKey("reviews.id"), primary_key=True),
    sa.Column("draft", sa.Text, comment="JSON; null: there is none"),
    sa.Column("explained", sa.Text, nullable=False, comment="JSON list: why, in words"),
    sa.Column("output_schema", sa.Text, comment="JSON; what an edited output must fit"),
    sa.Column("sent", sa.Text, comment="JSON: exactly what an action would send"),
    comment="What a model drafted and why it waits, apart from the metadata.",
)

review_events = sa.Table(
    "review_events",
    metadata,
    sa.Column("review_id", sa.String(48), sa.ForeignKey("reviews.id"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("at_us", sa.BigInteger, nullable=False),
    sa.Column("what", sa.String(16), nullable=False, comment="opened, claimed, edit, …"),
    sa.Column("actor", sa.String(48), nullable=False, comment="a key, or `deadline`"),
    sa.Column("detail", sa.String(128), comment="such as the group it was given to"),
    sa.Column("note", sa.Text, comment="what the person wrote; contents"),
    comment="What happened to a review, in order; never changed.",
)
