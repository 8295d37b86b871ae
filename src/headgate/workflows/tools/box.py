"""The tools of one workflow, as its runs may use them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, Protocol

from headgate.checks.problem import Problem
from headgate.checks.schema import Schema
from headgate.config.tools import ToolSettings, ToolTerms
from headgate.gateway.caller import Caller
from headgate.workflows.folder import Workflow
from headgate.workflows.tools.arguments import ASK_CALLER, filled, shown, with_defaults
from headgate.workflows.tools.load_checks import (
    Found,
    Steps,
    approval_problems,
    bound_problems,
    missing_problems,
)
from headgate.workflows.tools.permission import refusal
from headgate.workflows.tools.talk import Talk
from headgate.workflows.tools.terms import Terms, joined, terms_problem
from headgate.workflows.tools.tool import Tool, ToolAnswer, ToolCall, ToolSpec

_ASK_CALLER: dict[str, Any] = {
    "type": "function",
    "function": {
        "name": ASK_CALLER,
        "description": (
            "Ask whoever sent the input for what you would otherwise have to guess. It ends your"
            " work: they send the input again, with the answer."
        ),
        "strict": True,
        "parameters": {
            "type": "object",
            "properties": {
                "question": {"type": "string", "description": "One question, in their language."},
                "missing": {
                    "type": "array",
                    "items": {"type": "string"},
                    "description": "The names of the arguments that you can't fill in.",
                },
            },
            "required": ["question", "missing"],
            "additionalProperties": False,
        },
    },
}


_NAMED_AT_MOST = 20

NoteCall = Callable[[str, str, str, float], None]
"""Told of a call's workflow, tool, outcome and seconds."""


class Shelf(Protocol):
    """Where the tools of headgate.yaml's sources stand."""

    def __contains__(self, name: str) -> bool:
        """Whether there is a tool `SOURCE/TOOL`."""
        ...

    def names(self) -> tuple[str, ...]:
        """Every `SOURCE/TOOL`."""
        ...

    def get(self, name: str) -> Tool:
        """That tool."""
        ...

    def terms(self, name: str) -> ToolTerms:
        """The operator's terms of it."""
        ...


class OfferedTool:
    """A tool that a workflow gives to its model."""

    def __init__(
        self,
        name: str,
        tool: Tool,
        settings: ToolSettings,
        terms: Terms,
        note_call: Callable[[str, float], None] = lambda _outcome, _seconds: None,
    ) -> None:
        """`note_call` is told what came of each call, and how long it took."""
        self.name = name
        self.tool = tool
        self.settings = settings
        self.terms = terms
        self._note_call = note_call
        self._compiled: tuple[ToolSpec, Schema] | None = None

    async def call(self, arguments: dict[str, Any], call: ToolCall) -> ToolAnswer:
        """See `Tool.call`."""
        began = time.perf_counter()
        answer = await self.tool.call(arguments, call)
        self._note_call(answer.outcome, time.perf_counter() - began)
        return answer

    def of_model(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """Those of `arguments` that a model may choose.

        What Headgate fills in is not among them, also where the input holds nothing for it.
        """
        bound = self.settings.arguments
        return {name: value for name, value in arguments.items() if name not in bound}

    def filled(
        self,
        spec: ToolSpec,
        given: dict[str, Any],
        output: dict[str, Any] | None = None,
        delivered: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """The arguments that Headgate fills in; `delivered` are those that only a delivery has.

        What the tool does not require may lack. Raises `ArgumentMissingError`.
        """
        bound = {**self.settings.arguments, **(delivered or {})}
        optional = bound.keys() - set(spec.parameters.get("required", ()))
        return filled(bound, given, output, optional=optional)

    def why_approval(self, spec: ToolSpec, arguments: dict[str, Any]) -> str | None:
        """Why a person must approve a call; None: it goes out by itself.

        What is left out counts as what the tool says that it then takes.
        """
        try:
            return self.terms.why_approval(with_defaults(spec.parameters, arguments))
        except RecursionError:
            return "its arguments are nested too deeply to be looked at"

    def problems(self, spec: ToolSpec, arguments: dict[str, Any]) -> tuple[Problem, ...]:
        """What keeps `arguments` from fitting."""
        if self._compiled is None or self._compiled[0] != spec:
            self._compiled = spec, Schema(spec.parameters)
        return self._compiled[1].problems(arguments)


class Toolbox:
    """The tools of one workflow."""

    def __init__(
        self, workflow: str, offered: Mapping[str, OfferedTool], delivery: str | None = None
    ) -> None:
        """`delivery` is the tool that outputs are delivered by, which no model is shown."""
        self.workflow = workflow
        self._offered = offered
        self._delivery = delivery

    @classmethod
    def of(
        cls,
        workflow: Workflow,
        shelf: Shelf,
        note_call: NoteCall = lambda _workflow, _tool, _outcome, _seconds: None,
    ) -> tuple[Toolbox, list[tuple[Steps, str]]]:
        """The box, and what is wrong with it: where in workflow.yaml, and the problem."""
        offered: dict[str, OfferedTool] = {}
        problems: list[tuple[Steps, str]] = []
        for name, settings in workflow.settings.tools.items():
            tool, source = workflow.own_tools.get(name), None
            if settings.source is not None:
                found = settings.source in shelf
                tool = shelf.get(settings.source) if found else None
                source = shelf.terms(settings.source) if found else None
            if tool is None:
                problems.append((("tools", name, "source"), _unknown(settings.source, shelf)))
            elif (problem := terms_problem(source, settings)) is not None:
                problems.append((("tools", name), problem))
            else:
                note = partial(note_call, workflow.name, name)
                offered[name] = OfferedTool(name, tool, settings, joined(source, settings), note)
        problems += _argument_problems(workflow, offered)
        deliver = workflow.settings.deliver
        return cls(workflow.name, offered, None if deliver is None else deliver.tool), problems

    def __iter__(self) -> Iterator[OfferedTool]:
        return iter(self._offered.values())

    def get(self, name: str) -> OfferedTool | None:
        """The tool of that name."""
        return self._offered.get(name)

    def given(self, name: str) -> OfferedTool | None:
        """The tool that the model calls so; None: there is none for it."""
        return None if name == self._delivery else self._offered.get(name)

    async def listed(self, caller: Caller, talk: Talk) -> list[dict[str, Any]]:
        """Those that a run may use now, as its next request lists them.

        Raises `ToolUnavailableError`.
        """
        found = []
        for one in self:
            if self.given(one.name) is None:
                continue
            used = talk.used.get(one.name, 0)
            if refusal(one.terms, caller, untrusted=talk.untrusted, used=used) is None:
                spec = await one.tool.spec()
                bound = one.settings.arguments
                found.append(shown(one.name, spec, one.settings.description, bound))
        return [*found, _ASK_CALLER] if found else []


def _unknown(source: str | None, shelf: Shelf) -> str:
    """What to say of a tool that is on no shelf."""
    wanted = str(source)
    name = wanted.partition("/")[0]
    beside = [one for one in shelf.names() if one.partition("/")[0] == name]
    there = beside or list(dict.fromkeys(one.partition("/")[0] for one in shelf.names()))
    what = f"`{name}` has" if beside else "its sources are"
    shown = ", ".join(one.partition("/")[2] or one for one in there[:_NAMED_AT_MOST])
    more = ", …" if len(there) > _NAMED_AT_MOST else ""
    return f"there is no tool `{wanted}` in headgate.yaml; {what} {shown or 'none'}{more}"


def _argument_problems(workflow: Workflow, offered: Mapping[str, OfferedTool]) -> Found:
    """Where what workflow.yaml says of arguments is not as its tools, those that are known, are."""
    given, output = workflow.input_schema, workflow.output_schema
    deliver = workflow.settings.deliver
    for name, one in offered.items():
        spec, at = one.tool.known, ("tools", name)
        for steps, problem in approval_problems(one.settings.approval, spec):
            yield (*at, "approval", *steps), problem
        if spec is None:
            continue
        bound = one.settings.arguments
        for steps, problem in bound_problems(bound, spec, given, None):
            yield (*at, "arguments", *steps), problem
        if deliver is not None and deliver.tool == name:
            for steps, problem in bound_problems(deliver.arguments, spec, given, output):
                yield ("deliver", "arguments", *steps), problem
            for steps, problem in missing_problems((*bound, *deliver.arguments), spec):
                yield ("deliver", "arguments", *steps), problem
