"""A request to a model that answers in text, whichever endpoint it came through."""

from __future__ import annotations

import array
import hashlib
import re
from typing import Any, Literal

import msgspec

from headgate.simulator import tokens
from headgate.simulator.text.source import Source, read_source

Role = Literal["system", "user", "assistant", "tool"]
"""Who speaks; `developer` counts as `system`."""

_CORRECTION = re.compile(
    r"^\W*(?:your|the|that)\s+(?:last |previous |earlier )?(?:answer|reply|response|output|json)\b"
    r".{0,200}\b(?:checks?|valid\w*|invalid|schema|errors?|wrong|fail\w*|correct\w*)\b",
    re.IGNORECASE | re.DOTALL,
)
_FRAME_TOKEN = 200_006
"""Stands in a prompt's tokens for the frame of a message."""


class Image(msgspec.Struct, frozen=True):
    """A picture, sound or file in a message; what it costs, and what tells it from others."""

    reference: str
    cost_tokens: int


class Call(msgspec.Struct, frozen=True):
    """A function that the model called earlier in the conversation."""

    id: str
    name: str
    arguments: str


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """One message."""

    role: Role
    text: str = ""
    images: tuple[Image, ...] = ()
    calls: tuple[Call, ...] = ()
    answers_call: str | None = None
    """The id of the call whose result this is, for the role `tool`."""


class Tool(msgspec.Struct, frozen=True):
    """A function that the model may call."""

    name: str
    description: str
    parameters: dict[str, Any]


class ToolChoice(msgspec.Struct, frozen=True):
    """Whether functions are called."""

    mode: Literal["none", "auto", "required"] = "auto"
    """`auto`: when one fits. `required`: one at least."""
    only: frozenset[str] | None = None
    """The names of those that may be called; None for all."""


class OutputFormat(msgspec.Struct, frozen=True):
    """What shape the text must have."""

    kind: Literal["text", "json_object", "json_schema"] = "text"
    schema: dict[str, Any] | None = None


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """Everything an answer depends on."""

    model: str
    turns: tuple[Turn, ...]
    tools: tuple[Tool, ...] = ()
    tool_choice: ToolChoice = ToolChoice()
    parallel_calls: bool = True
    output: OutputFormat = OutputFormat()
    stop: tuple[str, ...] = ()
    max_tokens: int | None = None
    """How many tokens the answer may have, reasoning not counted."""

    @property
    def instructions(self) -> str:
        """What the system's and developer's messages say."""
        return "\n\n".join(turn.text for turn in self.turns if turn.role == "system")

    @property
    def asked(self) -> str:
        """The last message of the user that isn't about the answer before it."""
        said = [turn.text for turn in self.turns if turn.role == "user"]
        # Who asks again because the answer was wrong still means the question before.
        while len(said) > 1 and _CORRECTION.match(said[-1]):
            said.pop()
        return said[-1] if said else ""

    @property
    def everything_said(self) -> str:
        """All messages as one text."""
        return "\n".join(turn.text for turn in self.turns)

    @property
    def results(self) -> list[tuple[str, str]]:
        """What functions returned since the user spoke last, as pairs of name and text."""
        names = {call.id: call.name for turn in self.turns for call in turn.calls}
        found: list[tuple[str, str]] = []
        for turn in reversed(self.turns):
            if turn.role == "user":
                break
            if turn.role == "tool":
                found.append((names.get(turn.answers_call or "", "tool"), turn.text))
        return found[::-1]

    def source(self) -> Source:
        """What there is to read: the user's last message, and what functions returned since."""
        return read_source(self.asked, *(text for _, text in self.results))


def prompt_tokens(task: Task) -> list[int]:
    """The whole prompt as tokens: tools and schema first, then each message in its frame.

    An image, say, takes as many tokens as it costs, which differ from image to image.
    """
    prompt: list[int] = []
    for tool in task.tools:
        described = {"name": tool.name, "description": tool.description, "p": tool.parameters}
        prompt += tokens.encoded(msgspec.json.encode(described).decode())
    if task.output.schema is not None:
        prompt += tokens.encoded(msgspec.json.encode(task.output.schema).decode())
    for turn in task.turns:
        prompt += [_FRAME_TOKEN] * tokens.MESSAGE_OVERHEAD_TOKENS
        prompt += tokens.encoded(turn.text)
        for image in turn.images:
            prompt += _image_tokens(image)
        for call in turn.calls:
            prompt += tokens.encoded(f"{call.name}{call.arguments}")
    prompt += [_FRAME_TOKEN] * tokens.PRIMING_TOKENS
    return prompt


def _image_tokens(image: Image) -> list[int]:
    digest = hashlib.blake2b(image.reference.encode("utf-8", "replace"), digest_size=64).digest()
    marks = array.array("H", digest).tolist()
    return [300_000 + marks[at % len(marks)] for at in range(image.cost_tokens)]
