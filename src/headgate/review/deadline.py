"""A review's clock: when to remind, when its time is up, and what happens then.

Pure: a review and a time go in, what to do comes out. Whoever does it stores the review that
comes with it, in one transaction; the next moment is then a later one, so nothing is done twice.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from headgate.config.reviews import DeadlineSettings
from headgate.review.review import Deadline, Review

_HOUR_US = 3_600_000_000


class Remind(msgspec.Struct, frozen=True):
    """Tell people that it waits."""

    review: Review
    """As it is to be stored."""
    percent: int
    """How much of its time has passed."""


class Escalate(msgspec.Struct, frozen=True):
    """Give it to another group, with a new clock."""

    review: Review
    to: str


class Overdue(msgspec.Struct, frozen=True):
    """Its time is up and it goes on waiting; tell people once."""

    review: Review


class Settle(msgspec.Struct, frozen=True):
    """End it without a person."""

    how: Literal["approve", "reject", "fall_back"]


Step = Remind | Escalate | Overdue | Settle


def deadline_of(settings: DeadlineSettings | None) -> Deadline | None:
    """The clock that a workflow declares."""
    if settings is None:
        return None
    return Deadline(
        within_us=int(settings.within_hours * _HOUR_US),
        remind_at=tuple(sorted(set(settings.remind_at))),
        then=settings.then,
        escalate_to=settings.escalate_to,
        after_escalation=settings.after_escalation,
    )


def started(review: Review, deadline: Deadline | None, now_us: int) -> Review:
    """`review` with its clock begun at `now_us`; without one, where it has no deadline."""
    due_at_us = None if deadline is None else now_us + deadline.within_us
    begun = msgspec.structs.replace(
        review, deadline=deadline, since_us=now_us, due_at_us=due_at_us, reminders=0
    )
    return msgspec.structs.replace(begun, next_at_us=_next_us(begun))


def escalated(review: Review, to: str, now_us: int) -> Review:
    """`review` given to the group `to`: nobody's in hand, its clock begun anew."""
    deadline, ends_at_us = review.deadline, review.facts.window_ends_us
    if deadline is not None:
        deadline = msgspec.structs.replace(deadline, escalated=True)
        if ends_at_us is not None:
            # Once its window is over there is nothing left to grant, whoever has the question.
            within_us = max(1, ends_at_us - now_us)
            deadline = msgspec.structs.replace(deadline, within_us=within_us)
    given = msgspec.structs.replace(
        review, reviewers=to, version=review.version + 1, claimed_by=None, claimed_until_us=0
    )
    return started(given, deadline, now_us)


def step_at(review: Review, now_us: int) -> Step | None:
    """What is to be done about an open review at that time; None: nothing yet."""
    deadline, due_at_us = review.deadline, review.due_at_us
    if deadline is None or due_at_us is None or review.next_at_us is None:
        return None
    if now_us < review.next_at_us:
        return None
    if now_us < due_at_us:
        passed = [p for p in deadline.remind_at if now_us >= _moment_us(review, deadline, p)]
        # After an outage one reminder does for all that were missed.
        told = msgspec.structs.replace(review, reminders=len(passed))
        told = msgspec.structs.replace(told, next_at_us=_next_us(told))
        return Remind(told, passed[-1]) if len(passed) > review.reminders else None
    then = deadline.at_end
    if then == "escalate" and deadline.escalate_to is not None:
        given = escalated(review, deadline.escalate_to, now_us)
        return Escalate(given, deadline.escalate_to)
    if then == "wait" or then == "escalate":  # noqa: PLR1714 - the type checker follows this only
        return Overdue(msgspec.structs.replace(review, next_at_us=None))
    if then == "approve" and not review.has_draft:
        return Settle("reject")
    return Settle(then)


def _next_us(review: Review) -> int | None:
    deadline = review.deadline
    if deadline is None:
        return None
    if review.reminders < len(deadline.remind_at):
        return _moment_us(review, deadline, deadline.remind_at[review.reminders])
    return review.due_at_us


def _moment_us(review: Review, deadline: Deadline, percent: int) -> int:
    return review.since_us + deadline.within_us * percent // 100
