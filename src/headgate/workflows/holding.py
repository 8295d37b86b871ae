"""What a run needs of layer 5: to be told that a person must look first. `app` hands it in.

Nothing waits in memory: the run ends here as a row that says `awaiting_review`, stored in one
transaction with the question. What follows a decision is begun anew, by whoever decides.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, Protocol

import msgspec
from sqlalchemy.engine import Connection

from headgate.errors import ReviewNeededError
from headgate.workflows.folder import Workflow
from headgate.workflows.outcome import Outcome
from headgate.workflows.run import Run, RunError

REVIEW_NEEDED = ReviewNeededError.code


class Ending(msgspec.Struct, frozen=True, kw_only=True):
    """What a decision makes of a run that waits."""

    status: Literal["completed", "rejected"]
    output: dict[str, Any] | None
    error: RunError | None
    fallback: bool
    finished_at_us: int


class Question(msgspec.Struct, frozen=True):
    """What a person is asked about a run."""

    review_id: str
    keep: Callable[[Connection], None]
    """Stores it, in the transaction that stores the run."""


class Holding(Protocol):
    """Decides whether a run waits for a person."""

    def question(self, workflow: Workflow, run: Run, outcome: Outcome) -> Question | None:
        """What a person must be asked before `outcome` goes out; None: it may. Pure but for ids.

        `run` is the run as it would end.
        """
        ...


def awaiting(run: Run, question: Question) -> Run:
    """`run` as it waits: what it would have answered is with the question."""
    return msgspec.structs.replace(
        run,
        status="awaiting_review",
        review_id=question.review_id,
        finished_at_us=None,
        output=None,
        error=None,
    )


def must_wait(run: Run, outcome: Outcome) -> bool:
    """Whether `outcome` must not go out by itself, whatever anybody declares."""
    asked = any(call.guards_that_said("review") for call in run.calls)
    held = outcome.hold is not None or outcome.unanswered or asked
    return outcome.waits is not None or (held and not outcome.approved)


def unheld(run: Run) -> Run:
    """`run` where it must wait and nobody can be asked: it fails, and delivers nothing."""
    return msgspec.structs.replace(
        run, status="failed", output=None, error=run.error or RunError.of(ReviewNeededError())
    )
