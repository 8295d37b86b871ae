"""What people are told of a review that waits; no contents."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy.engine import Connection

from headgate.ledger.alerts.alert import ReviewAlert, ReviewHappening
from headgate.review.review import Review
from headgate.storage.identifiers import new_id

_SECOND_US = 1_000_000

Tell = Callable[[Connection, ReviewAlert, int], None]
"""Has an alert told once, in the transaction of the connection; the number tells alerts about one
review apart: reminders have their percentage, the others those below."""

OPENED = 0
OVERDUE = 100
ESCALATED = 101
SECOND_TIME = 1_000
"""Added in a review's second time."""
GIVEN_BY_PERSON = 10_000
"""With the review's version."""


def review_alert(
    review: Review, happened: ReviewHappening, now_us: int, *, percent: int | None = None
) -> ReviewAlert:
    """An alert about `review`; `percent` of its time have passed."""
    facts = review.facts
    about = review.workflow or ""
    if review.kind == "budget":
        about = f"{facts.rule} ({facts.subject})"
    elif review.kind == "guard":
        about = facts.guard or ""
    return ReviewAlert(
        id=new_id("alert"),
        at=now_us // _SECOND_US,
        happened=happened,
        review=review.id,
        kind=review.kind,
        about=about,
        reviewers=review.reviewers,
        opened_at=review.created_at_us // _SECOND_US,
        due_at=None if review.due_at_us is None else review.due_at_us // _SECOND_US,
        percent=percent,
    )
