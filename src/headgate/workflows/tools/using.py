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
from headgate.storage.identifiers import new_id
from headgate.storage.threads import StorageThreads
from headgate.workflows.failures import ClarificationNeededError, DeliveryFailedError
from headgate.workflows.folder import Workflow
from headgate.workflows.journal import Journal
from headgate.workflows.outcome import ActionWaits, Outcome
from headgate.workflows.run import CLARIFICATION, Order, Run, RunError
from headgate.workflows.steps import Step, ToolFacts, Trail
from headgate.workflows.tools.action import Action
from headgate.workflows.tools.action_store import ActionStore
from headgate.workflows.tools.arguments import (
    ASK_CALLER,
    ArgumentMissingError,
    chosen,
    filled,
)
from headgate.workflows.tools.asked import AskedTool
from headgate.workflows.tools.box import OfferedTool, Toolbox
from headgate.workflows.tools.permission import Refusal, refusal
from headgate.workflows.tools.sending import ActionSender
from headgate.workflows.tools.talk import Talk
from headgate.workflows.tools.tool import Sent, ToolAnswer, ToolCall, ToolUnavailableError
from headgate.workflows.untrusted import made_visible

_ANSWER_CHARACTERS_AT_MOST = 64 * 1024
"""Of a tool's answer, as a model is given it."""

_QUESTION_CHARACTERS_AT_MOST = 1000
_PROBLEMS_TOLD = 5
_REFUSALS: Mapping[Refusal, str] = {
    "caller": "This run may not use it.",
    "untrusted": "It can't be used any more: a text from outside has come into this conversation.",
    "used_up": "This run has used it as often as it may.",
}

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
        self._sender = ActionSender(store, threads)

    async def break_off(self) -> None:
        """Drop what is on its way to tools: the process is about to end."""
        await self._sender.break_off()

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

    async def listed(self, workflow: Workflow, order: Order, talk: Talk) -> list[dict[str, Any]]:
        """The tools that the run's next request shows; raises `ToolUnavailableError`."""
        box = self._boxes.get(workflow.name)
        return [] if box is None else await box.listed(order.caller, talk)

    async def answered(
        self,
        workflow: Workflow,
        order: Order,
        run: Run,
        talk: Talk,
        trail: Trail,
        journal: Journal,
    ) -> Outcome | None:
        """Answer what the newest reply asks for; an outcome where the run can't go on by itself."""
        while talk.pending:
            asked = talk.pending[0]
            await journal.note(trail)
            with trail.step("tool") as step:
                step.tool = ToolFacts(name=asked.name[:64])
                found = await self._said(workflow, order, run, talk, step, asked, journal)
            if isinstance(found, Outcome):
                return found
            talk.answer(asked, found.content, used=found.used)
            talk.untrusted = talk.untrusted or found.untrusted
        return None

    async def delivered(
        self,
        workflow: Workflow,
        order: Order,
        run: Run,
        outcome: Outcome,
        talk: Talk,
        trail: Trail,
    ) -> Outcome:
        """`outcome` after what the workflow does with its outputs was done with it."""
        settings = workflow.settings.deliver
        box = self._boxes.get(workflow.name)
        offered = None if box is None or settings is None else box.get(settings.tool)
        if settings is None or offered is None:
            return outcome
        with trail.step("deliver") as step:
            step.tool = ToolFacts(name=settings.tool, effect=offered.terms.effect)
            if (earlier := await self._earlier(run, talk)) is not None:
                return await self._delivered(offered, earlier, step, outcome)
            # Who has seen the output vouches for what is done with it.
            untrusted = talk.untrusted and not talk.by_person
            used = talk.used.get(offered.name, 0)
            if why_not := refusal(offered.terms, order.caller, untrusted=untrusted, used=used):
                return _undelivered(step, outcome, why_not, _REFUSALS[why_not])
            try:
                spec = await offered.tool.spec()
            except ToolUnavailableError as error:
                return _undelivered(step, outcome, error.code, error.message)
            given = {**offered.settings.arguments, **settings.arguments}
            optional = set(spec.parameters.get("properties", ())) - set(
                spec.parameters.get("required", ())
            )
            try:
                arguments = filled(given, run.input or {}, outcome.output, optional=optional)
            except ArgumentMissingError as missing:
                return _undelivered(step, outcome, "argument_missing", f"{missing}.")
            if problems := offered.problems(spec, arguments):
                step.problems = problems
                return _undelivered(step, outcome, "arguments", "its arguments don't fit the tool.")
            why = None if talk.by_person else offered.terms.why_approval(arguments)
            action = await self._requested(offered, run, talk, arguments, why)
            if action is None:
                return _undelivered(step, outcome, "limit", "a limit of the tool is reached.")
            return await self._delivered(offered, action, step, outcome)

    async def _delivered(
        self, offered: OfferedTool, action: Action, step: Step, outcome: Outcome
    ) -> Outcome:
        action = await self._sender.carried(offered, action)
        step.tool = _facts(action)
        if action.state in ("requested", "unknown"):
            step.verdict = "held"
            waits = await _waits(offered, action)
            return msgspec.structs.replace(outcome, waits=waits)
        if action.state == "refused":
            return _undelivered(step, outcome, "refused", "a person refused it.")
        if action.state == "failed":
            return _undelivered(step, outcome, action.code, "the tool said that it failed.")
        return outcome

    async def left_open(self, workflow: Workflow, run: Run, talk: Talk) -> ActionWaits | None:
        """What the run was about when its time was up, if nobody knows whether it was done."""
        action = await self._earlier(run, talk)
        if action is None or action.state != "unknown":
            return None
        box = self._boxes.get(workflow.name)
        return await _waits(None if box is None else box.get(action.tool), action)

    async def _said(
        self,
        workflow: Workflow,
        order: Order,
        run: Run,
        talk: Talk,
        step: Step,
        asked: AskedTool,
        journal: Journal,
    ) -> Said | Outcome:
        box = self._boxes[workflow.name]
        if asked.name == ASK_CALLER:
            return _question(step, asked)
        offered = box.given(asked.name)
        if (offered is None or offered.terms.is_action) and (
            earlier := await self._earlier(run, talk)
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
            return _refused(step, why_not, _REFUSALS[why_not])
        arguments = chosen(asked.arguments)
        if arguments is None:
            return _refused(step, "no_json", "The arguments must be one JSON object.")
        bound = offered.settings.arguments
        spec = await offered.tool.spec()
        required = spec.parameters.get("required", ())
        try:
            arguments |= filled(bound, order.input or {}, optional=set(bound) - set(required))
        except ArgumentMissingError as missing:
            return _missing(step, offered.name, missing)
        if problems := offered.problems(spec, arguments):
            step.problems = problems
            return _refused(step, "arguments", _mend(problems))
        if terms.is_action:
            why = offered.terms.why_approval(arguments)
            action = await self._requested(offered, run, talk, arguments, why)
            if action is None:
                return _refused(step, "limit", _NO_ROOM.content)
            return await self._acted(offered, action, step)
        return await self._read(offered, run, talk, step, arguments, journal)

    async def _read(
        self,
        offered: OfferedTool,
        run: Run,
        talk: Talk,
        step: Step,
        arguments: dict[str, Any],
        journal: Journal,
    ) -> Said:
        terms, name = offered.terms, f"tool-{talk.tools + 1}"
        window = f"{run.workflow}/{offered.name}"

        async def read() -> ToolAnswer:
            if not await self._threads.run(self._store.take, window, terms, _now_us()):
                return _NO_ROOM
            circumstances = ToolCall(
                key=f"{run.id}-{name}", timeout_s=terms.timeout_s, run_id=run.id
            )
            return await offered.call(arguments, circumstances)

        # Its room is taken once as well: a run that goes through here again has had it.
        answer = await journal.once(name, read, ToolAnswer)
        if answer == _NO_ROOM:
            return _refused(step, "limit", _NO_ROOM.content)
        step.tool = ToolFacts(name=offered.name, effect="read", outcome=answer.outcome)
        if answer.outcome != "done":
            step.verdict, step.code = "failed", answer.code
        return _answer(answer.outcome, answer.content, terms.gives == "untrusted")

    async def _acted(
        self, offered: OfferedTool | None, action: Action, step: Step
    ) -> Said | Outcome:
        action = await self._sender.carried(offered, action)
        step.tool = _facts(action)
        if action.state in ("requested", "unknown"):
            step.verdict = "held"
            return Outcome(waits=await _waits(offered, action))
        if action.state != "done":
            step.verdict, step.code = "failed", action.code or action.state
        untrusted = offered is None or offered.terms.gives == "untrusted"
        return _answer(action.state, action.result, untrusted)

    async def _earlier(self, run: Run, talk: Talk) -> Action | None:
        """The action that the run's next call of a tool is, if it has come by here before."""
        return await self._threads.run(self._store.find, run.id, talk.tools + 1)

    async def _requested(
        self,
        offered: OfferedTool,
        run: Run,
        talk: Talk,
        arguments: dict[str, Any],
        why: str | None,
    ) -> Action | None:
        """The action, kept; as it is, where the run had come by here before."""
        terms = offered.terms
        action = Action(
            id=new_id("act"),
            run_id=run.id,
            number=talk.tools + 1,
            project=run.project,
            workflow=run.workflow,
            tool=offered.name,
            effect=terms.effect,
            state="approved" if why is None else "requested",
            idempotent=terms.idempotent,
            requested_at_us=_now_us(),
            why_approval=None if why is None else "approval",
            arguments=arguments,
        )
        return await self._threads.run(self._store.request, action, terms)


async def _waits(offered: OfferedTool | None, action: Action) -> ActionWaits:
    """`offered` is None where the tool is gone: then a person can only say what came of it."""
    arguments = action.arguments or {}
    why = "nobody knows whether it was done"
    if action.state == "requested":
        rule = None if offered is None else offered.terms.why_approval(arguments)
        why = rule or "a person approves it"
        if action.sent_sha256 is not None:
            why = "what would be sent is not any more what was approved"
    if offered is None:
        gone = Sent(f"{action.tool}, which the workflow does not have any more", arguments)
        return ActionWaits(
            action=action, sent=gone, parameters={}, why=why, reviewers=None, four_eyes=False
        )
    parameters: dict[str, Any] = {}
    try:
        parameters = (await offered.tool.spec()).parameters
    except ToolUnavailableError:
        if action.state == "requested":
            raise
    return ActionWaits(
        action=action,
        sent=offered.tool.sent(arguments, action.key),
        parameters=parameters,
        why=why,
        reviewers=offered.terms.reviewers,
        four_eyes=offered.terms.four_eyes,
    )


def _facts(action: Action) -> ToolFacts:
    return ToolFacts(
        name=action.tool, effect=action.effect, outcome=action.state, action_id=action.id
    )


def _refused(step: Step, code: str, told: str) -> Said:
    step.verdict, step.code = "failed", code
    return Said(msgspec.json.encode({"error": told}).decode())


def _undelivered(step: Step, outcome: Outcome, code: str | None, why: str) -> Outcome:
    step.verdict, step.code = "failed", code
    error = DeliveryFailedError(f"The output is there, but it could not be delivered: {why}")
    refused = code == "refused"
    return msgspec.structs.replace(outcome, error=RunError.of(error), refused=refused)


def _answer(outcome: str, content: Any, untrusted: bool) -> Said:  # noqa: FBT001
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
