"""Reviews of actions: what a person is asked before one is sent, and what a decision makes of it.

Of an action that waits for approval: `approve` sends it as it stands, `edit` with other arguments,
`reject` not at all. Of one of which nobody knows whether it was done: `approve` sends it again,
`edit` says that it was done and what came of it, `reject` that it was not and shall not be.
In each case the run then goes on, and the model is told; where the run is over, nothing is sent
any more, and what is left to say is what came of it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import msgspec
from sqlalchemy.engine import Connection

from headgate.checks.problem import Problem
from headgate.checks.schema import Schema
from headgate.config.reviews import AfterEscalation, AtDeadline
from headgate.review.deadline import deadline_of, started
from headgate.review.deciding import ReviewDecidedError
from headgate.review.review import DEADLINE, Contents, Deadline, Facts, Reason, Review
from headgate.review.run_review import run_review
from headgate.storage.action_tables import actions
from headgate.workflows.durable.orders import is_overdue
from headgate.workflows.folder import Workflow
from headgate.workflows.outcome import ActionWaits
from headgate.workflows.run import Run
from headgate.workflows.tools.action import Action, ActionState
from headgate.workflows.tools.action_store import locked, moved
from headgate.workflows.tools.tool import Sent
from headgate.workflows.waiting_runs import go_on

_LATE_REFUSAL = "Nobody looked at it in time."


def action_review(workflow: Workflow, run: Run, waits: ActionWaits, now_us: int) -> Review:
    """What a person is asked about an action that a run waits for."""
    settings = workflow.settings.review
    review = about(waits.action, run, now_us)
    review = msgspec.structs.replace(
        review,
        reviewers=waits.reviewers or (None if settings is None else settings.reviewers),
        four_eyes=waits.four_eyes or (settings is not None and settings.four_eyes),
    )
    clock = deadline_of(settings.deadline if settings else None)
    if clock is None:
        return started(review, None, now_us)
    return started(review, _never_by_itself(clock, waits.action), now_us)


def about(action: Action, run: Run, now_us: int) -> Review:
    """A question about an action of `run`, without a clock, for whoever's role may decide it."""
    unknown = action.state == "unknown"
    return run_review(
        run,
        "action",
        once=f"action {action.id} {action.attempts}",
        reasons=(Reason("unknown" if unknown else "approval", action.tool),),
        facts=Facts(
            action_id=action.id,
            tool=action.tool,
            effect=action.effect,
            outcome_unknown=unknown,
        ),
        has_draft=True,
        now_us=now_us,
    )


def action_problems(
    review: Review,
    contents: Contents,
    edited: dict[str, Any],
    sent: Callable[[], Sent | None] = lambda: None,
) -> tuple[Problem, ...]:
    """What keeps edited arguments from being sent; empty where nothing does.

    `sent` says what would be, of arguments that fit the schema.
    """
    if review.facts.outcome_unknown:
        return ()  # it is what came of it, which may be anything
    if contents.output_schema is None:
        return (Problem("", "schema", "its schema was erased; reject it instead"),)
    if problems := Schema(contents.output_schema).problems(edited):
        return problems
    would = sent()
    if would is None or would.refused is None:
        return ()
    return (Problem("", "arguments", f"can't be sent: {would.refused}"),)


def end_action(
    connection: Connection,
    review: Review,
    edited: dict[str, Any] | None,
    note: str | None = None,
    approves: str | None = None,
) -> bool:
    """Carry out what was decided, and have the run go on; False where it does not wait any more.

    In the transaction of `connection`, with the decision. `edited` goes with `edited`,
    `approves` is the digest of what the person has seen and lets go out.
    """
    if review.run_id is None or review.facts.action_id is None:
        return False
    before = "unknown" if review.facts.outcome_unknown else "requested"
    sends = review.decision == "approved" or (review.decision == "edited" and before == "requested")
    if sends and is_overdue(connection, review.run_id, review.decided_at_us or 0):
        raise ReviewDecidedError(
            "The run's deadline has passed, so nothing is sent any more; reject the review to"
            " close it."
        )
    # What came of an action can be said, and must be, even if its run is over.
    if not go_on(connection, review.run_id) and (sends or before == "requested"):
        return False
    decided: dict[str, Any] = {
        "decided_by": review.decided_by,
        "decided_at_us": review.decided_at_us,
    }
    approved = {"sent_sha256": approves}
    ended = {**decided, "ended_at_us": review.decided_at_us}
    where = actions.c.state == before
    action_id = review.facts.action_id
    if review.decision == "approved":
        changed = moved(connection, action_id, "approved", where, **decided, **approved)
    elif review.decision == "edited" and before == "requested":
        action = locked(connection, action_id)
        contents: dict[str, Any] = {
            "arguments": edited,
            "asked": None if action is None else action.arguments,
        }
        contents |= approved
        changed = moved(connection, action_id, "approved", where, **decided, **contents)
    elif review.decision == "edited":
        changed = moved(connection, action_id, "done", where, **ended, result=edited)
    elif before == "requested":
        told = _LATE_REFUSAL if review.decided_by == DEADLINE else note
        changed = moved(connection, action_id, "refused", where, **ended, result=told)
    else:
        told = note or "A person found that it was not done."
        changed = moved(
            connection, action_id, "failed", where, **ended, result=told, code="not_done"
        )
    if changed is None:
        raise ReviewDecidedError("The action is not what it was when you saw it; look again.")
    return True


def state_decided(review: Review) -> ActionState | None:
    """The state that a decided review has brought its action into; None: it is about none."""
    if review.kind != "action" or review.decision is None:
        return None
    unknown = review.facts.outcome_unknown
    if review.decision == "approved":
        return "approved"
    if review.decision == "edited":
        return "done" if unknown else "approved"
    return "failed" if unknown else "refused"


def _never_by_itself(clock: Deadline, action: Action) -> Deadline:
    """The clock, with nothing done out there because nobody came: that is a refusal.

    Whether something was done is not decided by time at all: it goes on waiting.
    """
    instead: Literal["wait", "reject"] = "wait" if action.state == "unknown" else "reject"
    then: AtDeadline = clock.then
    if then in ("approve", "fall_back", "reject"):
        then = instead
    after: AfterEscalation = clock.after_escalation
    if after in ("approve", "fall_back", "reject"):
        after = instead
    return msgspec.structs.replace(clock, then=then, after_escalation=after)
