"""Delivers outputs: the tool that a workflow names is called with each, once it may go out.

No model asks for it, so what goes wrong is told to the caller: the output is there all the same.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from headgate.config.reviews import ReviewSettings
from headgate.workflows.errand import Errand
from headgate.workflows.failures import DeliveryFailedError
from headgate.workflows.outcome import Outcome
from headgate.workflows.run import RunError
from headgate.workflows.steps import Step, ToolFacts
from headgate.workflows.tools.acting import Acting
from headgate.workflows.tools.action import Action
from headgate.workflows.tools.arguments import ArgumentMissingError
from headgate.workflows.tools.box import OfferedTool, Toolbox
from headgate.workflows.tools.permission import REFUSALS, refusal
from headgate.workflows.tools.terms import Terms
from headgate.workflows.tools.tool import ToolUnavailableError


class Delivery:
    """What the workflows of one process do with their outputs."""

    def __init__(self, boxes: Mapping[str, Toolbox], acting: Acting) -> None:
        self._boxes = boxes
        self._acting = acting

    async def delivered(self, errand: Errand, outcome: Outcome) -> Outcome:
        """`outcome` after what the workflow does with its outputs was done with it."""
        settings, talk = errand.workflow.settings.deliver, errand.talk
        box = self._boxes.get(errand.workflow.name)
        offered = None if box is None or settings is None else box.get(settings.tool)
        if settings is None or offered is None:
            return outcome
        with errand.trail.step("deliver") as step:
            step.tool = ToolFacts(name=settings.tool, effect=offered.terms.effect)
            if (earlier := await self._acting.earlier(errand)) is not None:
                return await self._delivered(offered, earlier, step, outcome)
            # Who has seen the output vouches for what is done with it.
            untrusted = talk.untrusted and not talk.by_person
            used = talk.used.get(offered.name, 0)
            caller = errand.order.caller
            if why_not := refusal(offered.terms, caller, untrusted=untrusted, used=used):
                return _undelivered(step, outcome, why_not, REFUSALS[why_not])
            try:
                spec = await offered.tool.spec()
            except ToolUnavailableError as error:
                return _undelivered(step, outcome, error.code, error.message)
            given = errand.run.input or {}
            try:
                arguments = offered.filled(spec, given, outcome.output, settings.arguments)
            except ArgumentMissingError as missing:
                return _undelivered(step, outcome, "argument_missing", f"{missing}.")
            if problems := offered.problems(spec, arguments):
                step.problems = problems
                return _undelivered(step, outcome, "arguments", "its arguments don't fit the tool.")
            is_approved = talk.by_person and _counts(errand.workflow.settings.review, offered.terms)
            why = None if is_approved else offered.why_approval(spec, arguments)
            action = await self._acting.requested(errand, offered, arguments, why)
            if action is None:
                return _undelivered(step, outcome, "limit", "a limit of the tool is reached.")
            return await self._delivered(offered, action, step, outcome)

    async def _delivered(
        self, offered: OfferedTool, action: Action, step: Step, outcome: Outcome
    ) -> Outcome:
        action, waits = await self._acting.carried(offered, action, step)
        if waits is not None:
            return msgspec.structs.replace(outcome, waits=waits)
        if action.state == "refused":
            return _undelivered(step, outcome, "refused", "a person refused it.")
        if action.state == "failed":
            return _undelivered(step, outcome, action.code, "the tool said that it failed.")
        return outcome


def _counts(review: ReviewSettings | None, terms: Terms) -> bool:
    """Whether who may let an output out, as `review` says, may also approve the tool."""
    decides = review or ReviewSettings()
    return terms.reviewers in (None, decides.reviewers) and decides.four_eyes >= terms.four_eyes


def _undelivered(step: Step, outcome: Outcome, code: str | None, why: str) -> Outcome:
    step.verdict, step.code = "failed", code
    error = DeliveryFailedError(f"The output is there, but it could not be delivered: {why}")
    refused = code == "refused"
    return msgspec.structs.replace(outcome, error=RunError.of(error), refused=refused)
