"""Where reviews are kept: `reviews` for what is asked and decided, `review_contents` for the words.

Synchronous, as all of storage. What changes a review takes a connection, so that whatever it is
about is changed in the same transaction.
"""

from __future__ import annotations

from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection, RowMapping

from headgate.errors import NotFoundError
from headgate.review.review import (
    DEADLINE,
    Contents,
    Deadline,
    Event,
    Facts,
    Reason,
    Review,
    ReviewKind,
    ReviewStatus,
)
from headgate.review.signals import Decided
from headgate.storage import Database
from headgate.storage.insertion import insert_into
from headgate.storage.review_tables import review_contents, review_events, reviews

_PLAIN = [
    column.name
    for column in reviews.columns
    if column.name not in ("reasons", "facts", "deadline", "urgency_us")
]
_OF_SIGNALS = [
    reviews.c[name]
    for name in (
        "kind", "workflow", "version_of_workflow", "facts", "decision", "decided_by",
        "created_at_us", "decided_at_us", "edit_distance", "edit_share",
    )
]  # fmt: skip
_reasons = msgspec.json.Decoder(tuple[Reason, ...])
_facts = msgspec.json.Decoder(Facts)
_deadline = msgspec.json.Decoder(Deadline)
_object = msgspec.json.Decoder(dict[str, Any])
_texts = msgspec.json.Decoder(tuple[str, ...])

_MOST_DECISIONS = 50_000


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which reviews to list."""

    status: ReviewStatus | None = None
    """None: all that nobody has decided."""
    kind: ReviewKind | None = None
    workflow: str | None = None
    reviewers: str | None = None
    project: str | None = None
    """None: of all projects."""
    run_id: str | None = None
    claimed_by: str | None = None
    limit: int = 20
    after: str | None = None
    """The id of the last review of the page before."""


class ReviewRepository:
    """Reviews in one database."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def open(self, connection: Connection, review: Review, contents: Contents) -> str | None:
        """Keep a new review; or the id of the one that is about the same already."""
        made = connection.execute(
            insert_into(connection, reviews)
            .values(_row(review))
            .on_conflict_do_nothing(index_elements=["once"])
            .returning(reviews.c.id)
        )
        if made.one_or_none() is None:
            return str(
                connection.execute(
                    sa.select(reviews.c.id).where(reviews.c.once == review.once)
                ).scalar_one()
            )
        connection.execute(
            sa.insert(review_contents).values(
                review_id=review.id,
                draft=None if contents.draft is None else _json(contents.draft),
                explained=_json(contents.explained),
                output_schema=(
                    None if contents.output_schema is None else _json(contents.output_schema)
                ),
                sent=None if contents.sent is None else _json(contents.sent),
            )
        )
        opened = Event(at_us=review.created_at_us, what="opened", actor=review.requested_by)
        self.add_event(connection, review.id, opened)
        return None

    def locked(self, connection: Connection, review_id: str) -> Review:
        """The review, which nobody else changes until `connection`'s transaction ends."""
        row = (
            connection.execute(
                sa.select(reviews).where(reviews.c.id == review_id).with_for_update()
            )
            .mappings()
            .one_or_none()
        )
        if row is None:
            raise not_there(review_id)
        return _review(row)

    def store(self, connection: Connection, review: Review) -> None:
        """Keep what became of a review that `connection`'s transaction has locked."""
        connection.execute(sa.update(reviews).where(reviews.c.id == review.id).values(_row(review)))

    def add_event(self, connection: Connection, review_id: str, event: Event) -> None:
        """Note what happened to a review that `connection`'s transaction has locked or made."""
        number = (
            sa.select(sa.func.coalesce(sa.func.max(review_events.c.number), 0) + 1)
            .where(review_events.c.review_id == review_id)
            .scalar_subquery()
        )
        connection.execute(
            sa.insert(review_events).values(
                review_id=review_id, number=number, **msgspec.structs.asdict(event)
            )
        )

    def get(self, review_id: str) -> Review | None:
        """The review called `review_id`, or None."""
        return self._the_one(reviews.c.id == review_id)

    def about(self, once: str) -> Review | None:
        """The review about `once`, or None."""
        return self._the_one(reviews.c.once == once)

    def contents(self, review_id: str) -> Contents:
        """What is kept of words; nothing where it was erased."""
        with self.database.connect() as connection:
            return self.contents_in(connection, review_id)

    def contents_in(self, connection: Connection, review_id: str) -> Contents:
        """As `contents`, as `connection` sees it."""
        row = connection.execute(
            sa.select(review_contents).where(review_contents.c.review_id == review_id)
        ).one_or_none()
        if row is None:
            return Contents()
        return Contents(
            draft=None if row.draft is None else _object.decode(row.draft),
            explained=_texts.decode(row.explained),
            output_schema=None if row.output_schema is None else _object.decode(row.output_schema),
            sent=None if row.sent is None else _object.decode(row.sent),
        )

    def events(self, review_id: str) -> list[Event]:
        """What happened to it, in order."""
        with self.database.connect() as connection:
            rows = connection.execute(
                sa.select(review_events)
                .where(review_events.c.review_id == review_id)
                .order_by(review_events.c.number)
            ).all()
        return [
            Event(at_us=row.at_us, what=row.what, actor=row.actor, detail=row.detail, note=row.note)
            for row in rows
        ]

    def page(self, wanted: Wanted, now_us: int) -> list[Review]:
        """At most `limit` reviews, the most urgent first; of decided ones the newest first."""
        columns = reviews.c
        statement = sa.select(reviews).limit(wanted.limit)
        in_hand = columns.claimed_by.is_not(None) & (columns.claimed_until_us > now_us)
        if wanted.status == "decided":
            statement = statement.where(columns.decision.is_not(None)).order_by(columns.id.desc())
        else:
            statement = statement.where(columns.decision.is_(None)).order_by(
                columns.urgency_us, columns.id
            )
            if wanted.status is not None:
                statement = statement.where(in_hand if wanted.status == "claimed" else ~in_hand)
        if wanted.claimed_by is not None:
            statement = statement.where(in_hand, columns.claimed_by == wanted.claimed_by)
        for column, value in (
            (columns.kind, wanted.kind),
            (columns.workflow, wanted.workflow),
            (columns.reviewers, wanted.reviewers),
            (columns.project, wanted.project),
            (columns.run_id, wanted.run_id),
        ):
            if value is not None:
                statement = statement.where(column == value)
        if wanted.after is not None:
            statement = statement.where(_after(wanted))
        with self.database.connect() as connection:
            return [_review(row) for row in connection.execute(statement).mappings()]

    def due(self, now_us: int, limit: int) -> list[str]:
        """The ids of those that somebody must look after, the longest due first."""
        with self.database.connect() as connection:
            return list(
                connection.execute(
                    sa.select(reviews.c.id)
                    .where(reviews.c.next_at_us <= now_us)
                    .order_by(reviews.c.next_at_us)
                    .limit(limit)
                ).scalars()
            )

    def decided(
        self,
        kind: ReviewKind,
        *,
        since_us: int,
        project: str | None = None,
        workflow: str | None = None,
    ) -> tuple[list[Decided], bool]:
        """The newest 50,000 decisions of one kind since then, and whether there are more."""
        columns = reviews.c
        statement = (
            sa.select(*_OF_SIGNALS)
            .where(
                columns.decision.is_not(None),
                columns.decided_at_us >= since_us,
                columns.kind == kind,
            )
            .order_by(columns.decided_at_us.desc())
            .limit(_MOST_DECISIONS + 1)
        )
        for column, value in ((columns.project, project), (columns.workflow, workflow)):
            if value is not None:
                statement = statement.where(column == value)
        with self.database.connect() as connection:
            rows = connection.execute(statement).all()
        return [_decided(row) for row in rows[:_MOST_DECISIONS]], len(rows) > _MOST_DECISIONS

    def open_counts(self) -> dict[tuple[ReviewKind, str], int]:
        """How many wait for a decision, by kind and workflow."""
        with self.database.connect() as connection:
            rows = connection.execute(
                sa.select(reviews.c.kind, reviews.c.workflow, sa.func.count())
                .where(reviews.c.decision.is_(None))
                .group_by(reviews.c.kind, reviews.c.workflow)
            ).all()
        return {(kind, workflow or ""): count for kind, workflow, count in rows}

    def waiting(self, project: str | None, kind: ReviewKind | None = None) -> int:
        """How many wait for a decision: of one project, or None of all; of one kind, or of each."""
        statement = sa.select(sa.func.count()).where(reviews.c.decision.is_(None))
        if project is not None:
            statement = statement.where(reviews.c.project == project)
        if kind is not None:
            statement = statement.where(reviews.c.kind == kind)
        with self.database.connect() as connection:
            return int(connection.execute(statement).scalar_one())

    def open_count(self, connection: Connection, kind: ReviewKind, project: str) -> int:
        """How many of one kind wait in one project."""
        return int(
            connection.execute(
                sa.select(sa.func.count()).where(
                    reviews.c.decision.is_(None),
                    reviews.c.kind == kind,
                    reviews.c.project == project,
                )
            ).scalar_one()
        )

    def _the_one(self, condition: sa.ColumnElement[bool]) -> Review | None:
        with self.database.connect() as connection:
            found = connection.execute(sa.select(reviews).where(condition)).mappings()
            row = found.one_or_none()
        return None if row is None else _review(row)


def not_there(review_id: str) -> NotFoundError:
    """What somebody is told who asks for a review that they can't see, or that isn't there."""
    # Not 403: whether another project has such a review is nobody else's business.
    return NotFoundError(
        f"There is no review `{review_id[:64]}` that your key reaches.", param="id"
    )


def _decided(row: Any) -> Decided:
    of = row.workflow or "", row.version_of_workflow or ""
    if row.kind == "guard":
        of = _facts.decode(row.facts).guard or "", ""
    return Decided(
        of=of,
        decision=row.decision,
        by_person=row.decided_by != DEADLINE,
        seconds=(row.decided_at_us - row.created_at_us) / 1e6,
        edit_distance=row.edit_distance,
        edit_share=row.edit_share,
    )


def _after(wanted: Wanted) -> sa.ColumnElement[bool]:
    columns = reviews.c
    if wanted.status == "decided":
        return columns.id < wanted.after
    last = reviews.alias()
    began = sa.select(last.c.urgency_us).where(last.c.id == wanted.after).scalar_subquery()
    return (columns.urgency_us > began) | (
        (columns.urgency_us == began) & (columns.id > wanted.after)
    )


def _row(review: Review) -> dict[str, Any]:
    row = {name: getattr(review, name) for name in _PLAIN}
    row["reasons"] = _json(review.reasons)
    row["facts"] = _json(review.facts)
    row["deadline"] = None if review.deadline is None else _json(review.deadline)
    row["urgency_us"] = review.urgency_us
    return row


def _review(row: RowMapping) -> Review:
    columns: dict[str, Any] = {str(name): value for name, value in row.items()}
    del columns["urgency_us"]
    reasons, facts = columns.pop("reasons"), columns.pop("facts")
    deadline = columns.pop("deadline")
    return Review(
        **columns,
        reasons=_reasons.decode(reasons),
        facts=_facts.decode(facts),
        deadline=None if deadline is None else _deadline.decode(deadline),
    )


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
