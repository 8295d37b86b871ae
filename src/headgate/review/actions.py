"""Reviews of actions: what a person is asked before one is sent, and what a decision makes of it.

Of an action that waits for approval: `approve` sends it as it stands, `edit` with other arguments,
`reject` not at all. Of one of which nobody knows whether it was done: `approve` sends it again,
`edit` says that it was done and what came of it, `reject` that it was not and shall not be.
In each case the run then goes on, and the model is told.
"""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy.engine import Connection

from headgate.checks.problem import Problem
from headgate.checks.schema import Schema
from headgate.config.reviews import AfterEscalation, AtDeadline
from headgate.review.deadline import deadline_of, started
from headgate.review.deciding import ReviewDecidedError
from headgate.review.review import DEADLINE, Contents, Deadline, Facts, Reason, Review
from headgate.storage.action_tables import actions
from headgate.storage.identifiers import new_id
from headgate.workflows.folder import Workflow
from headgate.workflows.outcome import ActionWaits
from headgate.workflows.repository import go_on
from headgate.workflows.run import Run
from headgate.workflows.tools.action_store import moved

_LATE_REFUSAL = "Nobody looked at it in time."


def action_review(workflow: Workflow, run: Run, waits: ActionWaits, now_us: int) -> Review:
    """What a person is asked about an action that a run waits for."""
    action, settings = waits.action, workflow.settings.review
    unknown = action.state == "unknown"
    review = Review(
        id=new_id("rev"),
        kind="action",
        once=f"action {action.id} {action.attempts}",
        project=run.project,
        run_id=run.id,
        workflow=run.workflow,
        version_of_workflow=run.version,
        digest=run.digest,
        requested_by=run.key_id,
        reasons=(Reason("unknown" if unknown else "approval", action.tool),),
        facts=Facts(
            action_id=action.id,
            tool=action.tool,
            effect=action.effect,
            outcome_unknown=unknown,
        ),
        reviewers=waits.reviewers or (None if settings is None else settings.reviewers),
        four_eyes=waits.four_eyes or (settings is not None and settings.four_eyes),
        has_draft=True,
        created_at_us=now_us,
    )
    clock = deadline_of(settings.deadline if settings else None)
    return started(review, None if clock is None else _never_by_itself(clock), now_us)


def action_problems(
    review: Review, contents: Contents, edited: dict[str, Any]
) -> tuple[Problem, ...]:
    """What keeps edited arguments from being sent; empty where nothing does."""
    if review.facts.outcome_unknown:
        return ()  # it is what came of it, which may be anything
    if contents.output_schema is None:
        return (Problem("", "schema", "its schema was erased; reject it instead"),)
    return Schema(contents.output_schema).problems(edited)


def end_action(
    connection: Connection,
    review: Review,
    edited: dict[str, Any] | None,
    note: str | None = None,
) -> bool:
    """Carry out what was decided, and have the run go on; False where it does not wait any more.

    In the transaction of `connection`, with the decision. `edited` goes with `edited`.
    """
    if review.run_id is None or review.facts.action_id is None:
        return False
    if not go_on(connection, review.run_id):
        return False
    before = "unknown" if review.facts.outcome_unknown else "requested"
    decided: dict[str, Any] = {
        "decided_by": review.decided_by,
        "decided_at_us": review.decided_at_us,
    }
    ended = {**decided, "ended_at_us": review.decided_at_us}
    where = actions.c.state == before
    action_id = review.facts.action_id
    if review.decision == "approved":
        changed = moved(connection, action_id, "approved", where, **decided)
    elif review.decision == "edited" and before == "requested":
        changed = moved(connection, action_id, "approved", where, **decided, arguments=edited)
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


def _never_by_itself(clock: Deadline) -> Deadline:
    """The clock, with nothing done out there because nobody came: that is a refusal."""
    then: AtDeadline = "reject" if clock.then in ("approve", "fall_back") else clock.then
    after: AfterEscalation = clock.after_escalation
    if after in ("approve", "fall_back"):
        after = "reject"
    return msgspec.structs.replace(clock, then=then, after_escalation=after)
