"""Gives runs their tools: what a model asks for is checked, permitted, done, and answered.

`ToolUse.answered` reads like the way of one call: known? permitted? its arguments there, and
fitting? room in its limits? Then it is done, or waits for a person. A refusal is an answer to the
model, which may do better; only what the caller must say, or a person decide, ends the run here.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import msgspec

from headgate.checks.problem import Problem
from headgate.storage.threads import StorageThreads
from headgate.workflows.errand import Errand
from headgate.workflows.failures import ClarificationNeededError
from headgate.workflows.outcome import ActionWaits, Outcome
from headgate.workflows.prompts.untrusted import made_visible
from headgate.workflows.run import CLARIFICATION, RunError
from headgate.workflows.steps import Step, ToolFacts
from headgate.workflows.tools.acting import Acting, waits_for
from headgate.workflows.tools.action import Action
from headgate.workflows.tools.action_store import ActionStore
from headgate.workflows.tools.arguments import (
    ASK_CALLER,
    ArgumentMissingError,
    chosen,
)
from headgate.workflows.tools.asked import AskedTool
from headgate.workflows.tools.box import OfferedTool, Toolbox
from headgate.workflows.tools.delivery import Delivery
from headgate.workflows.tools.permission import REFUSALS, refusal
from headgate.workflows.tools.tool import Sent, ToolAnswer, ToolCall

_ANSWER_CHARACTERS_AT_MOST = 64 * 1024
"""Of a tool's answer, as a model is given it."""

_QUESTION_CHARACTERS_AT_MOST = 1000
_PROBLEMS_TOLD = 5
_NO_ROOM = ToolAnswer(
    outcome="failed", content="It was used as often as it may be for now.", code="limit"
)


class Said(msgspec.Struct, frozen=True):
    """What the model is told of a call that it asked for."""

    content: str
    used: bool = False
    """Whether the tool was called."""
    untrusted: bool = False
    """Whether it holds what the operator doesn't vouch for."""


class ToolUse:
    """The tools of all workflows of one process."""

    def __init__(
        self, boxes: Mapping[str, Toolbox], store: ActionStore, threads: StorageThreads
    ) -> None:
        self._boxes = boxes
        self._store = store
        self._threads = threads
        self._acting = Acting(store, threads)
        self._delivery = Delivery(boxes, self._acting)

    async def break_off(self) -> None:
        """Drop what is on its way to tools: the process is about to end."""
        await self._acting.break_off()

    def acts(self, workflow: str) -> bool:
        """Whether runs of `workflow` may act, and so must outlive their process."""
        return any(one.terms.is_action for one in self._boxes.get(workflow, ()))

    def box(self, workflow: str) -> Toolbox | None:
        """The tools of `workflow`; None where it has none."""
        return self._boxes.get(workflow)

    def preview(self, workflow: str, tool: str, arguments: dict[str, Any], key: str) -> Sent | None:
        """Exactly what would be sent with these arguments, which fit; None where it is gone."""
        box = self._boxes.get(workflow)
        offered = None if box is None else box.get(tool)
        return None if offered is None else offered.tool.sent(arguments, key)

    async def listed(self, errand: Errand) -> list[dict[str, Any]]:
        """The tools that the run's next request shows; raises `ToolUnavailableError`."""
        box = self._boxes.get(errand.workflow.name)
        return [] if box is None else await box.listed(errand.order.caller, errand.talk)

    async def answered(self, errand: Errand) -> Outcome | None:
        """Answer what the newest reply asks for; an outcome where the run can't go on by itself."""
        talk = errand.talk
        while talk.pending:
            asked = talk.pending[0]
            await errand.journal.note(errand.trail)
            with errand.trail.step("tool") as step:
                step.tool = ToolFacts(name=asked.name[:64])
                found = await self._said(errand, step, asked)
            if isinstance(found, Outcome):
                return found
            talk.answer(asked, found.content, used=found.used)
            talk.untrusted = talk.untrusted or found.untrusted
        return None

    async def delivered(self, errand: Errand, outcome: Outcome) -> Outcome:
        """`outcome` after what the workflow does with its outputs was done with it."""
        return await self._delivery.delivered(errand, outcome)

    async def left_open(self, errand: Errand) -> ActionWaits | None:
        """What the run was about when its time was up, if nobody knows whether it was done."""
        action = await self._acting.earlier(errand)
        if action is None or action.state != "unknown":
            return None
        box = self._boxes.get(errand.workflow.name)
        return await waits_for(None if box is None else box.get(action.tool), action)

    async def _said(self, errand: Errand, step: Step, asked: AskedTool) -> Said | Outcome:
        box, order, talk = self._boxes[errand.workflow.name], errand.order, errand.talk
        if asked.name == ASK_CALLER:
            return _question(step, asked)
        offered = box.given(asked.name)
        if (offered is None or offered.terms.is_action) and (
            earlier := await self._acting.earlier(errand)
        ) is not None:
            # What was begun goes on as it was, whatever holds for others by now.
            return await self._acted(offered, earlier, step)
        if offered is None:
            return _refused(step, "no_such_tool", "There is no tool of this name.")
        terms = offered.terms
        step.tool = ToolFacts(name=offered.name, effect=terms.effect)
        used = talk.used.get(offered.name, 0)
        if (
            why_not := refusal(terms, order.caller, untrusted=talk.untrusted, used=used)
        ) is not None:
            return _refused(step, why_not, REFUSALS[why_not])
        arguments = chosen(asked.arguments)
        if arguments is None:
            return _refused(step, "no_json", "The arguments must be one JSON object.")
        spec = await offered.tool.spec()
        arguments = offered.of_model(arguments)
        try:
            arguments |= offered.filled(spec, order.input or {})
        except ArgumentMissingError as missing:
            return _missing(step, offered.name, missing)
        if problems := offered.problems(spec, arguments):
            step.problems = problems
            return _refused(step, "arguments", _mend(problems))
        if terms.is_action:
            if cannot := offered.tool.sent(arguments, "").refused:
                # Nobody shall be asked to approve what can't be done.
                return _refused(step, "arguments", f"This can't be sent: {cannot}.")
            why = offered.why_approval(spec, arguments)
            action = await self._acting.requested(errand, offered, arguments, why)
            if action is None:
                return _refused(step, "limit", _NO_ROOM.content)
            return await self._acted(offered, action, step)
        return await self._read(errand, offered, step, arguments)

    async def _read(
        self, errand: Errand, offered: OfferedTool, step: Step, arguments: dict[str, Any]
    ) -> Said:
        run, terms, name = errand.run, offered.terms, f"tool-{errand.talk.tools + 1}"
        window = f"{run.workflow}/{offered.name}"

        async def read() -> ToolAnswer:
            if not await self._threads.run(self._store.take, window, terms, _now_us()):
                return _NO_ROOM
            circumstances = ToolCall(
                key=f"{run.id}-{name}", timeout_s=terms.timeout_s, run_id=run.id
            )
            return await offered.call(arguments, circumstances)

        # Its room is taken once as well: a run that goes through here again has had it.
        answer = await errand.journal.once(name, read, ToolAnswer)
        if answer == _NO_ROOM:
            return _refused(step, "limit", _NO_ROOM.content)
        step.tool = ToolFacts(name=offered.name, effect="read", outcome=answer.outcome)
        if answer.outcome != "done":
            step.verdict, step.code = "failed", answer.code
        return _answer(answer.outcome, answer.content, untrusted=terms.gives == "untrusted")

    async def _acted(
        self, offered: OfferedTool | None, action: Action, step: Step
    ) -> Said | Outcome:
        action, waits = await self._acting.carried(offered, action, step)
        if waits is not None:
            return Outcome(waits=waits)
        if action.state != "done":
            step.verdict, step.code = "failed", action.code or action.state
        untrusted = offered is None or offered.terms.gives == "untrusted"
        return _answer(action.state, action.result, untrusted=untrusted)


def _refused(step: Step, code: str, told: str) -> Said:
    step.verdict, step.code = "failed", code
    return Said(msgspec.json.encode({"error": told}).decode())


def _answer(outcome: str, content: Any, *, untrusted: bool) -> Said:
    if outcome == "refused":
        content = {"error": "A person refused this.", "note": content}
    elif outcome != "done":
        content = {"error": content}
    text = msgspec.json.encode(made_visible(content) if untrusted else content).decode()
    if len(text) > _ANSWER_CHARACTERS_AT_MOST:
        told = f"The answer has {len(text)} characters, more than you are given; ask for less."
        text = msgspec.json.encode({"error": told}).decode()
    return Said(text, used=True, untrusted=untrusted)


def _mend(problems: tuple[Problem, ...]) -> str:
    told = "; ".join(str(problem) for problem in problems[:_PROBLEMS_TOLD])
    return (
        f"These arguments don't fit: {told}. Mend them from what you were given. Never make up a"
        f" value that you were not given: call {ASK_CALLER} instead."
    )


def _question(step: Step, asked: AskedTool) -> Said | Outcome:
    found = chosen(asked.arguments) or {}
    question = found.get("question")
    if not isinstance(question, str) or not question.strip():
        return _refused(step, "arguments", "Ask one question, in `question`.")
    step.verdict, step.code = "held", ClarificationNeededError.code
    text = made_visible(question).strip()[:_QUESTION_CHARACTERS_AT_MOST]
    step.problems = (Problem("", CLARIFICATION, text),)
    error = ClarificationNeededError(
        "The model needs to know more than the input says; send it again with the answer."
    )
    return Outcome(error=RunError.of(error))


def _missing(step: Step, tool: str, missing: ArgumentMissingError) -> Outcome:
    step.verdict, step.code = "held", ClarificationNeededError.code
    error = ClarificationNeededError(
        f"`{tool}` needs `{missing.field}`, which the input does not hold; send it with that.",
        param=missing.field,
    )
    return Outcome(error=RunError.of(error))


def _now_us() -> int:
    return time.time_ns() // 1000
