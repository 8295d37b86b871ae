"""The texts and tool calls of an answer once they are finished: of a whole one and of a stream.

They are read after every guard has rewritten what it wanted, as the application gets them. A tool
call of a chat's stream is finished with its choice, since nothing before says that it is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any, Literal, Protocol

import msgspec

_CHARACTERS_AT_MOST = 8_000_000
"""Of the texts of one stream that are not finished yet."""


class Finished(msgspec.Struct, frozen=True, kw_only=True):
    """A text of an answer, or the arguments of a tool call."""

    path: str
    """Where it stands in the answer."""
    kind: Literal["text", "arguments"]
    text: str
    tool: str | None = None
    """The tool that is called, where the answer names one."""


class TooMuchError(Exception):
    """A stream has more text than is kept until it is finished."""


class FinishedReader(Protocol):
    """Reads the events of one stream."""

    def event(self, event: dict[str, Any]) -> list[Finished]:
        """What is finished with `event`. Raises `TooMuchError`."""

    def close(self) -> list[Finished]:
        """What was not finished when the stream ended."""


def finished_in(body: Any) -> list[Finished]:
    """What a decoded whole reply holds."""
    if not isinstance(body, dict):
        return []
    found: list[Finished] = []
    for position, choice in enumerate(_objects(body.get("choices"))):
        message = choice.get("message")
        if isinstance(message, dict):
            found += _of_message(message, f"choices[{position}].message")
    for position, item in enumerate(_objects(body.get("output"))):
        found += _of_item(item, f"output[{position}]")
    return found


def _of_message(message: dict[str, Any], path: str) -> Iterator[Finished]:
    calls = message.get("tool_calls")
    for number, call in enumerate(_objects(calls)):
        if "custom" in call:
            continue
        function = call.get("function")
        yield _call(function if isinstance(function, dict) else {}, f"{path}.tool_calls[{number}]")
    if isinstance(function := message.get("function_call"), dict):
        yield _call(function, f"{path}.function_call")
        calls = True
    content = message.get("content")
    if content is not None and (content or not (calls or message.get("refusal"))):
        # Whatever is no text is no JSON, and so fits nothing.
        text = content if isinstance(content, str) else ""
        yield Finished(path=f"{path}.content", kind="text", text=text)


def _of_item(item: dict[str, Any], path: str) -> Iterator[Finished]:
    if item.get("type") == "function_call":
        yield _call(item, path)
    elif item.get("type") == "message":
        for number, part in enumerate(_objects(item.get("content"))):
            if part.get("type") == "output_text":
                text = str(part.get("text", ""))
                yield Finished(path=f"{path}.content[{number}].text", kind="text", text=text)


def _call(function: dict[str, Any], path: str) -> Finished:
    name, arguments = function.get("name"), function.get("arguments")
    return Finished(
        path=f"{path}.arguments",
        kind="arguments",
        text=arguments if isinstance(arguments, str) else "",
        tool=name if isinstance(name, str) else None,
    )


class ChatFinished:
    """Reads the chunks of a chat completion."""

    def __init__(self) -> None:
        self._choices: dict[Any, dict[str, Any]] = {}
        self._characters = 0

    def event(self, event: dict[str, Any]) -> list[Finished]:
        """See `FinishedReader`."""
        found: list[Finished] = []
        for choice in _objects(event.get("choices")):
            number = choice.get("index", 0)
            delta = choice.get("delta")
            if isinstance(delta, dict):
                self._add(self._choices.setdefault(number, {}), delta)
            if choice.get("finish_reason") is not None:
                found += self._finish(number)
        return found

    def close(self) -> list[Finished]:
        """See `FinishedReader`."""
        return [one for number in list(self._choices) for one in self._finish(number)]

    def _add(self, message: dict[str, Any], delta: dict[str, Any]) -> None:
        if delta.get("content") is not None:
            self._append(message, "content", delta["content"])
        if delta.get("refusal"):
            message["refusal"] = True
        if isinstance(delta.get("function_call"), dict):
            self._add_call(message.setdefault("function_call", {}), delta["function_call"])
        for position, call in enumerate(_objects(delta.get("tool_calls"))):
            calls = message.setdefault("tool_calls", {})
            known = calls.setdefault(call.get("index", position), {})
            if "custom" in call or call.get("type") == "custom":
                known["custom"] = True
            if isinstance(call.get("function"), dict):
                self._add_call(known.setdefault("function", {}), call["function"])

    def _add_call(self, function: dict[str, Any], piece: dict[str, Any]) -> None:
        for name in ("name", "arguments"):
            if piece.get(name) is not None:
                self._append(function, name, piece[name])

    def _append(self, holder: dict[str, Any], name: str, piece: Any) -> None:
        pieces = holder.setdefault(name, [])
        pieces.append(str(piece))
        self._characters += len(pieces[-1])
        if self._characters > _CHARACTERS_AT_MOST:
            raise TooMuchError

    def _finish(self, number: Any) -> list[Finished]:
        message = _joined(self._choices.pop(number, {}))
        if "tool_calls" in message:
            message["tool_calls"] = list(message["tool_calls"].values())
        return list(_of_message(message, f"choices[{number}].delta"))


def _joined(value: dict[Any, Any]) -> dict[Any, Any]:
    """`value` with its pieces put together."""
    return {
        name: "".join(inner)
        if isinstance(inner, list)
        else _joined(inner)
        if isinstance(inner, dict)
        else inner
        for name, inner in value.items()
    }


class ResponseFinished:
    """Reads the events of a response, which tell most texts whole, and several times."""

    def __init__(self) -> None:
        self._names: dict[Any, Any] = {}
        self._pieces: dict[tuple[Any, ...], list[str]] = {}
        self._characters = 0
        self._told: set[bytes] = set()

    def event(self, event: dict[str, Any]) -> list[Finished]:
        """See `FinishedReader`."""
        kind, place = event.get("type"), event.get("output_index")
        path = f"output[{place}]"
        match kind:
            case "response.output_item.added":
                if isinstance(item := event.get("item"), dict):
                    self._names[place] = item.get("name")
                return []
            case "response.output_text.delta" | "response.function_call_arguments.delta":
                self._append((kind, place, event.get("content_index")), event.get("delta"))
                return []
            case "response.output_text.done":
                self._pieces.pop((_TEXT, place, event.get("content_index")), None)
                part = {"type": "output_text", "text": event.get("text")}
                return self._new(_of_item({"type": "message", "content": [part]}, path))
            case "response.content_part.done":
                item = {"type": "message", "content": [event.get("part")]}
                return self._new(_of_item(item, path))
            case "response.function_call_arguments.done":
                self._pieces.pop((_ARGUMENTS, place, None), None)
                return self._new(iter([self._called(place, event.get("arguments"), event)]))
            case "response.output_item.done":
                item = event.get("item")
                return self._new(_of_item(item, path)) if isinstance(item, dict) else []
            case "response.completed" | "response.incomplete":
                return [*self._new(iter(finished_in(event.get("response")))), *self.close()]
        return []

    def close(self) -> list[Finished]:
        """See `FinishedReader`."""
        left, self._pieces = self._pieces, {}
        found = []
        for (kind, place, _), pieces in left.items():
            text = "".join(pieces)
            if kind == _TEXT:
                found.append(Finished(path=f"output[{place}].text", kind="text", text=text))
            else:
                found.append(self._called(place, text, {}))
        return list(self._new(iter(found)))

    def _called(self, place: Any, arguments: Any, event: dict[str, Any]) -> Finished:
        name = event.get("name") or self._names.get(place)
        return _call({"name": name, "arguments": arguments}, f"output[{place}]")

    def _append(self, channel: tuple[Any, ...], piece: Any) -> None:
        text = str(piece)
        self._pieces.setdefault(channel, []).append(text)
        self._characters += len(text)
        if self._characters > _CHARACTERS_AT_MOST:
            raise TooMuchError

    def _new(self, found: Iterator[Finished]) -> list[Finished]:
        """Those of `found` that were not told before: a check of each is enough."""
        new = []
        for one in found:
            written = f"{one.kind}\n{one.tool}\n{one.text}"
            known = hashlib.sha256(written.encode("utf-8", "surrogatepass")).digest()
            if known not in self._told:
                self._told.add(known)
                new.append(one)
        return new


_TEXT = "response.output_text.delta"
_ARGUMENTS = "response.function_call_arguments.delta"


def _objects(values: Any) -> Iterator[dict[str, Any]]:
    return (one for one in (values if isinstance(values, list) else ()) if isinstance(one, dict))
