"""One run as a story in time: its steps, and each call with its attempts and guards' verdicts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

from headgate.checks.guards.report import GuardRecord, guards_said
from headgate.errors import HeadgateError
from headgate.ledger.record import CallRecord
from headgate.workflows.catalogue import Catalogue
from headgate.workflows.context_step import holds_untrusted
from headgate.workflows.run import Run
from headgate.workflows.steps import CallFacts, Step, StepKind, Verdict
from headgate.workflows.tools.action import Action

TITLES: dict[StepKind, str] = {
    "input": "Input checked against its schema",
    "context": "Context gathered",
    "render": "Prompt rendered",
    "call": "Model called",
    "tool": "Model asked for",
    "parse": "Reply read as JSON",
    "schema": "Output checked against its schema",
    "rules": "Business rules",
    "fallback": "Fallback answered",
    "deliver": "Output delivered by",
}
"""How each kind of step is called on the page."""

Trust = Literal["operator", "user", "untrusted"]


class CallStory(msgspec.Struct, frozen=True, kw_only=True):
    """A call of the run; `record` is None until it has reached the ledger."""

    facts: CallFacts
    record: CallRecord | None
    guards: tuple[GuardRecord, ...]


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """One step as the page shows it."""

    title: str
    step: Step
    verdict: Verdict
    after_us: int
    """How long after the run's beginning it began."""
    call: CallStory | None
    tool: str | None = None
    """The tool that it is about; None as well where that is for others to see."""
    action: Action | None = None
    """Where the step is the newest about it."""


class PromptPart(msgspec.Struct, frozen=True, kw_only=True):
    """One message of the prompt, and whose words it holds."""

    role: str
    trust: Trust
    meaning: str
    text: str


class Story(msgspec.Struct, frozen=True, kw_only=True):
    """The whole of it."""

    moments: tuple[Moment, ...]
    stray_calls: tuple[CallStory, ...]
    """Calls in the ledger that no step names: of a run that was cut off."""


def story_of(
    run: Run,
    records: Sequence[CallRecord],
    actions: Sequence[Action] = (),
    *,
    contents: bool = True,
) -> Story:
    """The steps of `run` with what the ledger knows of its calls, and its actions.

    `contents`: whether they are for someone who may see what models wrote.
    """
    by_id = {record.id: record for record in records}
    told = {call.id for call in run.calls}
    by_action = {action.id: action for action in actions}
    moments = []
    # A run that went on after a decision comes by its action once more: there it stands.
    for step in reversed(run.steps):
        action = by_action.pop(step.tool.action_id or "", None) if step.tool else None
        moment = _moment(run, step, by_id)
        name = _tool_name(step, contents=contents)
        moments.append(msgspec.structs.replace(moment, tool=name, action=action))
    return Story(
        moments=tuple(reversed(moments)),
        stray_calls=tuple(_call(None, record) for record in records if record.id not in told),
    )


def prompt_parts(catalogue: Catalogue, run: Run) -> tuple[PromptPart, ...] | None:
    """The prompt as it was sent first, by whose words its parts hold.

    None where the input is gone, or the workflow's folder is no longer the one of the run.
    """
    try:
        workflow = catalogue.get(run.workflow)
        if workflow.digest != run.digest or run.input is None:
            return None
        messages = workflow.prompt.render(run.input, run.context)
    except HeadgateError:
        return None
    untrusted = workflow.settings.trust == "untrusted"
    looked_up = holds_untrusted(workflow, run)
    parts = []
    for number, message in enumerate(messages):
        of_caller = number == len(messages) - 1
        trust: Trust = "operator"
        meaning = "written by the workflow's owner"
        if of_caller:
            trust = "untrusted" if untrusted or looked_up else "user"
            meaning = "holds the caller's input"
            if run.context:
                meaning += " and what was gathered"
            if untrusted:
                meaning += ", which the workflow does not trust"
            elif looked_up:
                meaning += ", some of it written by people outside"
        elif message.role != "system":
            meaning = "an example by the workflow's owner"
        parts.append(
            PromptPart(role=message.role, trust=trust, meaning=meaning, text=message.content)
        )
    return tuple(parts)


def tokens_of(run: Run) -> int | None:
    """All tokens of a run's calls; None where none is known."""
    known = [
        (call.input_tokens or 0) + (call.output_tokens or 0)
        for call in run.calls
        if call.input_tokens is not None or call.output_tokens is not None
    ]
    return sum(known) if known else None


def _moment(run: Run, step: Step, records: Mapping[str, CallRecord]) -> Moment:
    call = None
    if step.call is not None:
        call = _call(step.call, records.get(step.call.id))
    return Moment(
        title=TITLES.get(step.kind, step.kind),
        step=step,
        verdict=step.verdict,
        after_us=max(0, step.started_at_us - run.created_at_us),
        call=call,
    )


def _tool_name(step: Step, *, contents: bool) -> str | None:
    """The tool's name; one that no tool has is what a model wrote."""
    if step.tool is None:
        return None
    return None if step.code == "no_such_tool" and not contents else step.tool.name


def _call(facts: CallFacts | None, record: CallRecord | None) -> CallStory:
    if facts is None:
        if record is None:
            raise ValueError("a call needs its facts or its record")
        facts = CallFacts(
            id=record.id,
            status=record.status,
            latency_us=record.latency_us,
            attempts=record.attempts,
            target=record.provider,
            model=record.model_answered,
            input_tokens=record.input_tokens,
            cached_tokens=record.cached_tokens,
            output_tokens=record.output_tokens,
            reasoning_tokens=record.reasoning_tokens,
            simulated=bool(record.simulated),
            cost_nanousd=record.cost_nanousd,
            cache=record.cache,
        )
    guards = () if record is None else guards_said(record.guards)
    return CallStory(facts=facts, record=record, guards=guards)
