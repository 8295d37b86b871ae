"""Asks a person for more money: one review for each budget, subject and window, over all processes.

A budget refuses many calls a second, so what is known of a question is believed for a moment, and
calls that ask the same at once ask the database once.
"""

from __future__ import annotations

import asyncio
import hashlib
import time

from headgate.errors import HeadgateError
from headgate.ledger.allowances.asking import Asked, BudgetQuestion
from headgate.ledger.allowances.window import FOR_EVER_US
from headgate.review.alerts import OPENED, Tell, review_alert
from headgate.review.deadline import started
from headgate.review.repository import ReviewRepository
from headgate.review.review import Contents, Deadline, Facts, Reason, Review
from headgate.storage.identifiers import new_id
from headgate.storage.threads import StorageThreads

GATEWAY = "gateway"
"""Who asks, in the place of a key: it is no call's own question."""

_BELIEVED_S = 0.5
"""How long an answer is believed; a grant counts at the latest then."""

_REMEMBERED = 1_000
"""Questions whose answers are remembered; when full all are forgotten and looked up anew."""


class BudgetAsking:
    """See `ledger.allowances.asking.Asking`. For one event loop."""

    def __init__(self, repository: ReviewRepository, threads: StorageThreads, tell: Tell) -> None:
        self._repository = repository
        self._threads = threads
        self._tell = tell
        self._known: dict[str, tuple[float, Asked]] = {}
        self._under_way: dict[str, asyncio.Task[Asked | None]] = {}

    async def ask(self, question: BudgetQuestion) -> Asked | None:
        """See `Asking`."""
        once = _once(question)
        known = self._known.get(once)
        if known is not None and time.monotonic() < known[0]:
            return known[1]
        task = self._under_way.get(once)
        if task is None:
            task = asyncio.create_task(self._asked(once, question))
            self._under_way[once] = task
            task.add_done_callback(lambda _: self._under_way.pop(once, None))
        # A call that goes away must not take the question of others with it.
        return await asyncio.shield(task)

    async def _asked(self, once: str, question: BudgetQuestion) -> Asked | None:
        try:
            asked = await self._threads.begin(self._open, once, question)
        except HeadgateError:
            # The call is refused all the same; the next one asks again.
            return None
        if len(self._known) >= _REMEMBERED:
            self._known.clear()
        self._known[once] = (time.monotonic() + _BELIEVED_S, asked)
        return asked

    def _open(self, once: str, question: BudgetQuestion) -> Asked:
        found = self._repository.about(once)
        if found is None:
            review = _review(once, question)
            with self._repository.database.begin() as connection:
                if self._repository.open(connection, review, Contents()) is None:
                    self._tell(
                        connection, review_alert(review, "opened", review.created_at_us), OPENED
                    )
                    return Asked(review.id, "waits")
            # Another process was quicker.
            found = self._repository.about(once) or review
        match found.decision:
            case None:
                return Asked(found.id, "waits")
            case "approved":
                return Asked(found.id, "granted")
            case _:
                return Asked(found.id, "rejected")


def _once(question: BudgetQuestion) -> str:
    about = (
        f"{question.rule.name}\n{question.subject}\n{question.period.start_us}"
        f"\n{question.extra_nanousd}"
    )
    return f"budget {hashlib.sha256(about.encode()).hexdigest()}"


def _review(once: str, question: BudgetQuestion) -> Review:
    rule, period = question.rule, question.period
    now_us = time.time_ns() // 1000
    ends_us = period.end_us if period.end_us < FOR_EVER_US else None
    review = Review(
        id=new_id("rev"),
        kind="budget",
        once=once,
        requested_by=GATEWAY,
        created_at_us=now_us,
        project=_part(question.subject, "project"),
        workflow=_part(question.subject, "workflow"),
        reasons=(Reason("budget", rule.name[:128]),),
        facts=Facts(
            rule=rule.name,
            subject=question.subject,
            window=rule.window,
            window_began_us=period.start_us,
            window_ends_us=ends_us,
            limit_nanousd=rule.limit,
            extra_nanousd=question.extra_nanousd,
            needed_nanousd=question.needed_nanousd,
        ),
        reviewers=rule.reviewers,
    )
    if ends_us is None:
        return started(review, None, now_us)
    # Once its window is over there is nothing left to grant.
    lasts = Deadline(within_us=max(1, ends_us - now_us), then="reject")
    return started(review, lasts, now_us)


def _part(subject: str, dimension: str) -> str | None:
    for part in subject.split(","):
        name, _, value = part.partition("=")
        if name == dimension:
            return value
    return None
