"""Has runs wait for people: what `workflows.holding.Holding` asks for, by the policy."""

from __future__ import annotations

import time
from collections.abc import Callable

import msgspec
from sqlalchemy.engine import Connection

from headgate.checks.guards.verdict import Decision
from headgate.review.actions import action_review
from headgate.review.deadline import deadline_of, started
from headgate.review.policy import Explained, Result, reasons_for_review
from headgate.review.repository import ReviewRepository
from headgate.review.review import Contents, Facts, Review
from headgate.review.run_review import run_review
from headgate.workflows.folder import Workflow
from headgate.workflows.holding import REVIEW_NEEDED, Question
from headgate.workflows.outcome import ActionWaits, Outcome
from headgate.workflows.run import Run
from headgate.workflows.tools.action_store import note_review


class ReviewHolding:
    """Opens a review for each run that must wait."""

    def __init__(
        self, repository: ReviewRepository, clock_us: Callable[[], int] | None = None
    ) -> None:
        self._repository = repository
        self._clock_us = clock_us or (lambda: time.time_ns() // 1000)

    def question(self, workflow: Workflow, run: Run, outcome: Outcome) -> Question | None:
        """See `Holding`."""
        if outcome.waits is not None:
            return self._about(workflow, run, outcome.waits)
        if outcome.approved:
            return None
        error = outcome.error
        if error is not None and not outcome.unanswered and error.code != REVIEW_NEEDED:
            return None
        settings = workflow.settings.review
        found = reasons_for_review(
            settings,
            Result(
                run_id=run.id,
                output=outcome.output,
                fallback=outcome.fallback,
                held=() if outcome.hold is None else outcome.hold.reasons,
                guards=_guards(run, "review"),
                flagged=_guards(run, "flag"),
                unanswered=error.message if error is not None and outcome.unanswered else None,
            ),
        )
        if not found:
            return None
        review = self._review(workflow, run, outcome, found)
        contents = Contents(
            draft=outcome.output,
            explained=tuple(one.text for one in found),
            output_schema=workflow.output_schema.document,
        )

        def keep(connection: Connection) -> None:
            self._repository.open(connection, review, contents)

        return Question(review.id, keep)

    def _about(self, workflow: Workflow, run: Run, waits: ActionWaits) -> Question:
        review = action_review(workflow, run, waits, self._clock_us())
        contents = Contents(
            draft=waits.action.arguments,
            explained=(waits.why,),
            output_schema=waits.parameters,
            sent=msgspec.to_builtins(waits.sent),
        )

        def keep(connection: Connection) -> None:
            self._repository.open(connection, review, contents)
            note_review(connection, waits.action.id, review.id)

        return Question(review.id, keep)

    def _review(
        self, workflow: Workflow, run: Run, outcome: Outcome, found: tuple[Explained, ...]
    ) -> Review:
        settings, now_us = workflow.settings.review, self._clock_us()
        review = run_review(
            run,
            "output",
            once=f"run {run.id}",
            reasons=tuple(one.reason for one in found),
            facts=Facts(
                error_code=None if outcome.error is None else outcome.error.code,
                fallback=outcome.fallback,
            ),
            has_draft=outcome.output is not None,
            now_us=now_us,
        )
        if settings is not None:
            review = msgspec.structs.replace(
                review, reviewers=settings.reviewers, four_eyes=settings.four_eyes
            )
        return started(review, deadline_of(settings.deadline if settings else None), now_us)


def _guards(run: Run, decision: Decision) -> tuple[str, ...]:
    named = (name for call in run.calls for name in call.guards_that_said(decision))
    return tuple(dict.fromkeys(named))
