"""Where text flows in one event of a stream: which channel's next piece it is, and what has ended.

A channel is one text that comes in pieces: a choice's content, one tool call's arguments. Pieces
of it are read and rewritten in order; a text that is told whole at the end is a part as any other.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

import msgspec

from headgate.checks.parts.part import Part
from headgate.checks.parts.structured import asks_for_json
from headgate.checks.parts.walker import reply_parts

Channel = tuple[str | int | None, ...]
"""Names a text that flows; equal for all its pieces, and for no other text of the stream."""


class Piece(msgspec.Struct, frozen=True, gc=False):
    """The next piece of a channel."""

    channel: Channel
    part: Part


class Flow(msgspec.Struct, frozen=True, gc=False):
    """What one event holds."""

    pieces: list[Piece]
    wholes: list[Part]
    ended: list[Channel]
    """Beginnings of the channels of which this event says that there is no more to come."""


class FlowReader(Protocol):
    """Reads the events of one stream; one for each form that streams have."""

    def read(self, event: dict[str, Any]) -> Flow:
        """What `event` holds. Raises `TooDeepError`."""

    def more(self, channel: Channel, text: str, before: dict[str, Any] | None) -> dict[str, Any]:
        """An event with one more piece of `channel`, to go out before the event `before`.

        None: it goes out at the stream's end.
        """

    def passed(self, event: dict[str, Any]) -> None:
        """Put into `event` what has changed because events were added before it."""

    @property
    def renumbers(self) -> bool:
        """Whether events were added, so that `passed` changes those that follow."""


class ChatFlow:
    """The chunks of a chat completion."""

    def __init__(self, *, structured: bool = False) -> None:
        """`structured`: the content is JSON, as the request asked for."""
        self._structured = structured
        self._frame: dict[str, Any] = {}

    def read(self, event: dict[str, Any]) -> Flow:
        """See `FlowReader`."""
        pieces: list[Piece] = []
        wholes: list[Part] = []
        ended: list[Channel] = []
        choices = event.get("choices")
        for choice in choices if isinstance(choices, list) else ():
            if not isinstance(choice, dict):
                continue
            number = choice.get("index", 0)
            delta = choice.get("delta")
            if isinstance(delta, dict) and delta:
                pieces.extend(self._of_delta(number, delta))
            if choice.get("finish_reason") is not None:
                ended.append((number,))
            if not _OF_A_CHOICE.issuperset(choice):
                told = reply_parts(choice, structured=self._structured, without=_OF_A_CHOICE)
                wholes.extend(told)
        if choices:
            self._frame = event
        if not _KNOWN_FIELDS.issuperset(event):
            wholes.extend(reply_parts(event, without=_KNOWN_FIELDS))
        return Flow(pieces, wholes, ended)

    def _of_delta(self, number: int, delta: dict[str, Any]) -> Iterator[Piece]:
        for name, value in delta.items():
            if isinstance(value, str):
                if name != "role":
                    in_json = self._structured and name == "content"
                    part = Part(delta, name, path=name, role="model", in_json=in_json)
                    yield Piece((number, name), part)
            elif name == "tool_calls" and isinstance(value, list):
                for position, call in enumerate(value):
                    if isinstance(call, dict):
                        place = call.get("index", position)
                        for part in reply_parts(call):
                            yield Piece((number, name, place, *part.path.split(".")), part)
            elif value is not None:
                for part in reply_parts({name: value}):
                    yield Piece((number, *part.path.split(".")), part)

    def more(self, channel: Channel, text: str, before: dict[str, Any] | None) -> dict[str, Any]:  # noqa: ARG002
        """See `FlowReader`."""
        number, first, *rest = channel
        delta: dict[str, Any]
        if first == "tool_calls":
            place, *names = rest
            delta = {"tool_calls": [{"index": place, **_nested(names, text)}]}
        else:
            delta = _nested([first, *rest], text)
        choice = {"index": number, "delta": delta, "logprobs": None, "finish_reason": None}
        frame = {name: value for name, value in self._frame.items() if name != "usage"}
        return {**frame, "choices": [choice]}

    def passed(self, event: dict[str, Any]) -> None:
        """See `FlowReader`; chunks have no numbers."""

    @property
    def renumbers(self) -> bool:
        """See `FlowReader`."""
        return False


_CHUNK_FIELDS = frozenset(
    {
        "id", "object", "created", "model", "service_tier", "system_fingerprint", "usage",
        "obfuscation",
    }
)  # fmt: skip
"""Of a chunk, beside its choices: none holds a text."""

_KNOWN_FIELDS = _CHUNK_FIELDS | {"choices"}

_OF_A_CHOICE = frozenset({"index", "delta", "finish_reason", "logprobs"})
"""What is a text in these is looked at as it flows."""

OF_A_DELTA = frozenset(
    {
        "type", "delta", "sequence_number", "item_id", "output_index", "content_index",
        "summary_index", "logprobs", "obfuscation", "response_id", "event_id",
    }
)  # fmt: skip
"""The same of an event that tells a piece of a text."""


def _nested(names: list[str | int | None], text: str) -> dict[str, Any]:
    value: Any = text
    for name in reversed(names):
        value = {name: value}
    found: dict[str, Any] = value
    return found


class ResponseFlow:
    """The events of a response."""

    def __init__(self, *, structured: bool = False) -> None:
        """`structured`: the output's text is JSON, as the request asked for."""
        self._structured = structured
        self._latest: dict[Channel, dict[str, Any]] = {}
        self._added = 0

    def read(self, event: dict[str, Any]) -> Flow:
        """See `FlowReader`."""
        kind = event.get("type")
        if isinstance(response := event.get("response"), dict):
            # One that is shown again by itself says what it was asked.
            self._structured = self._structured or asks_for_json(response)
        if not isinstance(kind, str):
            return Flow([], reply_parts(event, structured=self._structured), [])
        if kind.endswith(".delta") and isinstance(event.get("delta"), str):
            if "audio" in kind and "transcript" not in kind:
                sound = Part(event, "delta", path="delta", role="model", kind="audio")
                return Flow([], [sound, *beside_delta(event)], [])
            stem = kind.removesuffix(".delta")
            in_json = stem.endswith("arguments") or (self._structured and stem == _OUTPUT_TEXT)
            part = Part(event, "delta", path="delta", role="model", in_json=in_json)
            channel = _channel(stem, event)
            self._latest[channel] = event
            return Flow([Piece(channel, part)], beside_delta(event), [])
        ended: list[Channel] = []
        if kind.endswith(".done"):
            ended.append(_channel(kind.removesuffix(".done"), event))
        elif kind in _LAST:
            ended.append(())
        return Flow([], reply_parts(event, structured=self._structured), ended)

    def more(self, channel: Channel, text: str, before: dict[str, Any] | None) -> dict[str, Any]:
        """See `FlowReader`."""
        latest = self._latest.get(channel, {})
        number = latest.get("sequence_number", 0) + 1
        if before is not None and isinstance(before.get("sequence_number"), int):
            number = before["sequence_number"]
        more = {**latest, "delta": text, "sequence_number": number + self._added}
        self._added += 1
        return more

    def passed(self, event: dict[str, Any]) -> None:
        """See `FlowReader`."""
        if self._added and isinstance(event.get("sequence_number"), int):
            event["sequence_number"] += self._added

    @property
    def renumbers(self) -> bool:
        """See `FlowReader`."""
        return bool(self._added)


def beside_delta(event: dict[str, Any]) -> list[Part]:
    """The parts of an event that tells a piece of a text, but for that piece."""
    return [] if OF_A_DELTA.issuperset(event) else reply_parts(event, without=OF_A_DELTA)


_OUTPUT_TEXT = "response.output_text"
_LAST = frozenset({"response.completed", "response.incomplete", "response.failed", "error"})


def _channel(stem: str, event: dict[str, Any]) -> Channel:
    return (
        stem,
        event.get("item_id"),
        event.get("output_index"),
        event.get("content_index"),
        event.get("summary_index"),
    )
