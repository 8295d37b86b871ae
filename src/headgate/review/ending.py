"""What becomes of a run when its review ends, in the transaction that stores the decision."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from sqlalchemy.engine import Connection

from headgate.errors import HeadgateError, NotFoundError
from headgate.review.deciding import ReviewDecidedError
from headgate.review.review import Review
from headgate.workflows.catalogue import Catalogue
from headgate.workflows.durable.orders import is_overdue
from headgate.workflows.holding import Ending
from headgate.workflows.run import RunError
from headgate.workflows.waiting_runs import deliver_on, end_waiting


class ReviewRejectedError(HeadgateError):
    """A person looked at this run's output and rejected it; its review tells why."""

    status = 422
    type = "invalid_request_error"
    code = "review_rejected"
    retryable = False


class ReviewDeadlineError(ReviewRejectedError):
    """Nobody looked at this run's output in time, so it was rejected."""

    code = "review_deadline_passed"


REJECTED = RunError.of(ReviewRejectedError())
LATE = RunError.of(ReviewDeadlineError())


def ending_of(review: Review, output: dict[str, Any] | None, *, by_person: bool) -> Ending:
    """How the run ends that waited for `review`, which has just ended.

    `output` is what goes out, None where it was rejected.
    """
    drafted = review.facts.fallback and review.decision == "approved"
    return Ending(
        status="rejected" if output is None else "completed",
        output=output,
        error=None if output is not None else REJECTED if by_person else LATE,
        fallback=drafted or review.decision == "fell_back",
        finished_at_us=review.decided_at_us or 0,
    )


def end_run(
    connection: Connection,
    review: Review,
    output: dict[str, Any] | None,
    catalogue: Catalogue,
    *,
    by_person: bool,
) -> bool:
    """End the run that waits for `review`; False where none does, because it ended otherwise."""
    if review.run_id is None:
        return False
    webhook, delivers = None, False
    if review.workflow is not None:
        with suppress(NotFoundError):  # its folder may have gone while it waited
            settings = catalogue.get(review.workflow).settings
            webhook, delivers = settings.webhook, settings.deliver is not None
    ending = ending_of(review, output, by_person=by_person)
    if delivers and output is not None:
        if by_person and is_overdue(connection, review.run_id, ending.finished_at_us):
            raise ReviewDecidedError(
                "The run's deadline has passed, so its output is not delivered any more; reject"
                " the review to close it."
            )
        if deliver_on(
            connection, review.run_id, output, fallback=ending.fallback, by_person=by_person
        ):
            return True
    return end_waiting(connection, review.run_id, ending, webhook)
