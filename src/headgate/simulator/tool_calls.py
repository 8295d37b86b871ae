"""Which functions the simulated model calls, and with which arguments."""

from __future__ import annotations

import msgspec

from headgate.simulator.answer import ToolCall
from headgate.simulator.conversation import Task, Tool
from headgate.simulator.schema.instance import UnsatisfiableError, instance_for
from headgate.simulator.schema.meaning import meaning_of
from headgate.simulator.text.names import names
from headgate.simulator.text.source import Source
from headgate.simulator.text.words import name_words, stem, stems
from headgate.simulator.wire.api_error import ApiError

FIT = 3
"""The score from which a function is called without being asked for."""

MAX_CALLS = 4
"""How many functions are called at once."""

_COMMON_TEXT = (
    "get set find search look fetch list make create do run call send use tool function"
    " current given return returns retrieve provide user data info information name value"
)
_COMMON_VERBS = frozenset(stem(word) for word in _COMMON_TEXT.split())


def calls_for(task: Task) -> tuple[ToolCall, ...]:
    """The calls to make now; none where no function fits or it has answered already."""
    choice = task.tool_choice
    allowed = [tool for tool in task.tools if choice.only is None or tool.name in choice.only]
    if choice.mode == "none" or not allowed:
        return ()
    source = task.source()
    told = [tool for tool in allowed if _is_told(tool, task)]
    if choice.mode == "auto" and (told or task.results):
        return tuple(_call(tool, source) for tool in told)[
            : MAX_CALLS if task.parallel_calls else 1
        ]
    scored = sorted(
        ((_fit(tool, source), -place, tool) for place, tool in enumerate(allowed)),
        key=lambda entry: entry[:2],
        reverse=True,
    )
    fitting = [tool for score, _, tool in scored if score >= FIT]
    if not fitting and choice.mode == "required":
        fitting = [scored[0][2]]
    if not task.parallel_calls:
        fitting = fitting[:1]
    calls: list[ToolCall] = []
    for tool in fitting:
        parts = _parts(tool, source) if task.parallel_calls else [source]
        calls.extend(_call(tool, part) for part in parts)
    return tuple(dict.fromkeys(calls))[:MAX_CALLS]


def _is_told(tool: Tool, task: Task) -> bool:
    """Whether the instructions name the function and it was not called yet."""
    called = {call.name for turn in task.turns for call in turn.calls}
    return f"`{tool.name}`" in task.instructions and tool.name not in called


def _fit(tool: Tool, source: Source) -> int:
    """How many words of the message speak for the function; a whole name is enough."""
    said = stems(source.asked)
    name = {stem(word) for word in name_words(tool.name)} - _COMMON_VERBS
    properties = tool.parameters.get("properties") or {}
    described = stems(tool.description)
    for key, part in properties.items():
        described |= {stem(word) for word in name_words(key)}
        if isinstance(part, dict):
            described |= {stem(str(option)) for option in part.get("enum") or ()}
    described -= _COMMON_VERBS | name
    whole_name = bool(name) and name <= said
    return (FIT if whole_name else 2 * len(said & name)) + len(said & described)


def _parts(tool: Tool, source: Source) -> list[Source]:
    """The parts of the message that each want a call: "the weather in Paris and in Rome"."""
    properties = tool.parameters.get("properties") or {}
    required = list(tool.parameters.get("required") or properties)
    asks_for_name = [
        key for key in required if meaning_of(key, "") in ("name", "place", "organisation")
    ]
    found = names(source.body) if len(asks_for_name) == 1 else []
    if len(found) < 2:
        return [source]
    return [Source(subject="", body=f"For {name}.", asked=source.asked) for name in found]


def _call(tool: Tool, source: Source) -> ToolCall:
    try:
        arguments = instance_for(tool.parameters, source) if tool.parameters else {}
    except UnsatisfiableError as error:
        raise ApiError(
            400,
            f"Invalid schema for function '{tool.name}': no value could be made for it, since"
            f" {error}.",
            param="tools",
            code="invalid_function_parameters",
        ) from None
    return ToolCall(tool.name, msgspec.json.encode(arguments).decode())
