"""Responses: the last event of a stream holds the whole; the whole is told as all its events."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from headgate.gateway.cache.forms.form import AnswerForm, Scribe, named_event, pieces
from headgate.gateway.endpoints import Usage
from headgate.gateway.endpoints.endpoint import UNREADABLE, data_of, events_of

_COMPLETED = b"response.completed"


class _Item(msgspec.Struct):
    type: str
    content: list[dict[str, Any]] | None = None
    summary: list[dict[str, Any]] | None = None
    arguments: str | None = None


class _Response(msgspec.Struct):
    output: list[_Item]
    status: str | None = None


class _LastEvent(msgspec.Struct):
    type: str = ""
    response: msgspec.Raw = msgspec.Raw(b"null")


_response = msgspec.json.Decoder(_Response)
_last_event = msgspec.json.Decoder(_LastEvent)
_decode = msgspec.json.decode


class ResponsesForm(AnswerForm):
    """Answers of `/v1/responses`."""

    def complete(self, body: bytes) -> bool:
        """See `AnswerForm`."""
        try:
            return _response.decode(body).status == "completed"
        except UNREADABLE:
            return False

    def scribe(self, limit_bytes: int) -> Scribe:
        """See `AnswerForm`."""
        return ResponsesScribe(limit_bytes)

    def events(self, body: bytes, *, include_usage: bool) -> bytes:  # noqa: ARG002 - always told
        """See `AnswerForm`."""
        response: dict[str, Any] = _decode(body)
        told = enumerate(_told(response))
        return b"".join(
            named_event(event["type"], {**event, "sequence_number": number})
            for number, event in told
        )


class ResponsesScribe:
    """Waits for the event that holds the whole response."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._whole: bytes | None = None

    def feed(self, block: bytes) -> None:
        """See `Scribe`."""
        if _COMPLETED not in block:
            return
        for event in events_of(block):
            if _COMPLETED not in event or len(event) > self._limit_bytes:
                continue
            try:
                last = _last_event.decode(data_of(event))
            except UNREADABLE:
                continue
            if last.type == "response.completed":
                self._whole = bytes(last.response)

    def whole(self, usage: Usage) -> bytes | None:  # noqa: ARG002 - the response tells it
        """See `Scribe`."""
        return self._whole


def _told(response: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The events of `response`, without their numbers."""
    begun = {**response, "status": "in_progress", "output": [], "usage": None}
    begun.pop("completed_at", None)
    yield {"type": "response.created", "response": begun}
    yield {"type": "response.in_progress", "response": begun}
    for index, item in enumerate(response.get("output") or ()):
        place = {"output_index": index, "item_id": item.get("id")}
        added = {"type": "response.output_item.added", "output_index": index}
        yield {**added, "item": _empty(item)}
        yield from _inside(item, place)
        yield {**added, "type": "response.output_item.done", "item": item}
    yield {"type": "response.completed", "response": response}


def _empty(item: dict[str, Any]) -> dict[str, Any]:
    """An item as it is before anything of it has been told."""
    empty = {"content": [], "summary": [], "arguments": "", "input": ""}
    begun = {n: empty[n] if n in empty and v is not None else v for n, v in item.items()}
    if "status" in begun:
        begun["status"] = "in_progress"
    return begun


def _inside(item: dict[str, Any], place: dict[str, Any]) -> Iterator[dict[str, Any]]:
    match item.get("type"):
        case "message":
            for index, part in enumerate(item.get("content") or ()):
                yield from _message_part(part, {**place, "content_index": index})
        case "reasoning":
            for index, part in enumerate(item.get("summary") or ()):
                yield from _summary_part(part, {**place, "summary_index": index})
            for index, part in enumerate(item.get("content") or ()):
                at = {**place, "content_index": index}
                yield from _text(part.get("text") or "", at, "response.reasoning_text", "text")
        case "function_call":
            at = {**place, "name": item.get("name")}
            given, name = item.get("arguments") or "", "response.function_call_arguments"
            yield from _text(given, place, name, "arguments", done=at)
        case "custom_tool_call":
            given = item.get("input") or ""
            yield from _text(given, place, "response.custom_tool_call_input", "input")


def _message_part(part: dict[str, Any], at: dict[str, Any]) -> Iterator[dict[str, Any]]:
    kind = part.get("type")
    empty: dict[str, Any] = {**part}
    if kind == "output_text":
        empty |= {"text": "", "annotations": []}
        if "logprobs" in part:
            empty["logprobs"] = []
    elif kind == "refusal":
        empty |= {"refusal": ""}
    yield {"type": "response.content_part.added", **at, "part": empty}
    if kind == "output_text":
        logprobs = {"logprobs": part.get("logprobs") or []}
        text, name = part.get("text") or "", "response.output_text"
        yield from _text(text, at, name, "text", each={"logprobs": []}, done={**at, **logprobs})
        for index, annotation in enumerate(part.get("annotations") or ()):
            yield {
                "type": "response.output_text.annotation.added",
                **at,
                "annotation_index": index,
                "annotation": annotation,
            }
    elif kind == "refusal":
        yield from _text(part.get("refusal") or "", at, "response.refusal", "refusal")
    yield {"type": "response.content_part.done", **at, "part": part}


def _summary_part(part: dict[str, Any], at: dict[str, Any]) -> Iterator[dict[str, Any]]:
    name = "response.reasoning_summary_part"
    yield {"type": f"{name}.added", **at, "part": {**part, "text": ""}}
    yield from _text(part.get("text") or "", at, "response.reasoning_summary_text", "text")
    yield {"type": f"{name}.done", **at, "part": part}


def _text(
    text: str,
    at: dict[str, Any],
    name: str,
    field: str,
    *,
    each: dict[str, Any] | None = None,
    done: dict[str, Any] | None = None,
) -> Iterator[dict[str, Any]]:
    """A text told piece by piece, and then whole in `field`."""
    for piece in pieces(text):
        yield {"type": f"{name}.delta", **at, "delta": piece, **(each or {})}
    yield {"type": f"{name}.done", **(done or at), field: text}
