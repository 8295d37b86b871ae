"""What came of a run: an output, the declared fallback's output, or an error."""

from __future__ import annotations

from typing import Any

import msgspec

from headgate.checks.problem import Problem
from headgate.checks.rules import RulesError
from headgate.checks.ruling import Hold
from headgate.workflows.folder import Workflow
from headgate.workflows.run import RunError
from headgate.workflows.steps import Trail
from headgate.workflows.tools.action import Action
from headgate.workflows.tools.tool import Sent


class ActionWaits(msgspec.Struct, frozen=True, kw_only=True):
    """An action that a person must decide about before the run can go on."""

    action: Action
    """`requested`: whether it shall be done. `unknown`: whether it was."""
    sent: Sent
    """Exactly what would be sent."""
    parameters: dict[str, Any]
    """JSON Schema of its arguments."""
    why: str
    """In words, which may quote the arguments."""
    reviewers: str | None
    four_eyes: bool


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What came of asking: an output or an error."""

    output: dict[str, Any] | None = None
    error: RunError | None = None
    fallback: bool = False
    hold: Hold | None = None
    """Why a person must see the output before it goes anywhere; None: it may go."""
    unanswered: bool = False
    """Every way to an answer failed, as `error` says, and a person shall write it."""
    approved: bool = False
    """Its review has let the output out."""
    refused: bool = False
    """A person said no to what was to be done with it; `error` tells."""
    waits: ActionWaits | None = None
    """What the run waits for; with an output: before that is delivered."""


async def fallen_back(
    workflow: Workflow, given: dict[str, Any], error: RunError, trail: Trail
) -> Outcome:
    """The declared answer; the error as it was where the declared answer can't be had."""
    declared = workflow.settings.fallback
    with trail.step("fallback") as step:
        step.code = error.code
        if declared == "review":
            return Outcome(error=error, unanswered=True)
        if declared is not None and declared.output is not None:
            return Outcome(output=declared.output, fallback=True)
        try:
            if workflow.rules is None:
                raise RulesError("rules.py defines no `fallback`")
            output = await workflow.rules.fallback(given)
            problems = workflow.output_schema.problems(output)
        except RulesError as failure:
            problems = (Problem("", "rules", str(failure)),)
        if problems:
            step.verdict, step.problems = "failed", problems
            return Outcome(error=error)
        return Outcome(output=output, fallback=True)
