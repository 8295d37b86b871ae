"""A realtime response as events: what is said, as text or as silence with its transcript."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

from headgate.simulator import tokens
from headgate.simulator.answer import Answer
from headgate.simulator.endpoints.identifier import new_id

Event = tuple[dict[str, Any], int]
"""An event, and how many tokens it takes the model to write it."""

_BYTES_PER_S = 48_000
_CHARACTERS_PER_S = 15
_SOUND_TOKENS_PER_S = 20
_MOST_SOUND_S = 20
_PIECE_BYTES = 24_000


def said_events(
    answer: Answer, response_id: str, *, speaks: bool
) -> tuple[list[Event], list[dict[str, Any]]]:
    """The events of what the model says, and the items that they build up."""
    if answer.tool_calls:
        events, items = [], []
        for index, call in enumerate(answer.tool_calls):
            item: dict[str, Any] = {
                "id": new_id("item_"),
                "object": "realtime.item",
                "type": "function_call",
                "status": "completed",
                "name": call.name,
                "call_id": new_id("call_"),
                "arguments": call.arguments,
            }
            at = {"response_id": response_id, "output_index": index}
            told = {**at, "item_id": item["id"], "call_id": item["call_id"]}
            inner = [
                ({"type": "response.function_call_arguments.delta", **told, "delta": piece}, 1)
                for piece in tokens.pieces(call.arguments)
            ]
            done = {"type": "response.function_call_arguments.done", **told, "name": call.name,
                    "arguments": call.arguments}  # fmt: skip
            events += _framed(item, at, [*inner, (done, 0)], {"arguments": ""})
            items.append(item)
        return events, items
    text = answer.refusal or answer.text
    part = (
        {"type": "output_audio", "transcript": text}
        if speaks
        else {"type": "output_text", "text": text}
    )
    item = {
        "id": new_id("item_"),
        "object": "realtime.item",
        "type": "message",
        "status": "completed",
        "role": "assistant",
        "content": [part],
    }
    at = {"response_id": response_id, "output_index": 0}
    return _framed(item, at, list(_spoken(text, item["id"], at, part, speaks=speaks)),
                   {"content": []}), [item]  # fmt: skip


def sound_bytes(text: str) -> int:
    """How much silence it takes to say `text`."""
    seconds = min(_MOST_SOUND_S, len(text) / _CHARACTERS_PER_S)
    return int(seconds * _BYTES_PER_S) // 2 * 2


def sound_tokens(text: str) -> int:
    """How many tokens that is."""
    return sound_bytes(text) * _SOUND_TOKENS_PER_S // _BYTES_PER_S + 1


def _framed(
    item: dict[str, Any], at: dict[str, Any], inner: list[Event], opening: dict[str, Any]
) -> list[Event]:
    begun = {**item, "status": "in_progress", **opening}
    return [
        ({"type": "response.output_item.added", **at, "item": begun}, 0),
        ({"type": "conversation.item.added", "previous_item_id": None, "item": begun}, 0),
        *inner,
        ({"type": "response.output_item.done", **at, "item": item}, 0),
        ({"type": "conversation.item.done", "previous_item_id": None, "item": item}, 0),
    ]


def _spoken(
    text: str, item_id: str, at: dict[str, Any], part: dict[str, Any], *, speaks: bool
) -> Iterator[Event]:
    at = {**at, "item_id": item_id, "content_index": 0}
    shown = {"type": "audio", "transcript": ""} if speaks else {"type": "text", "text": ""}
    yield {"type": "response.content_part.added", **at, "part": shown}, 0
    kind = "response.output_audio_transcript" if speaks else "response.output_text"
    for piece in tokens.pieces(text):
        yield {"type": f"{kind}.delta", **at, "delta": piece}, 1
    if speaks:
        left = sound_bytes(text)
        while left > 0:
            silence = base64.b64encode(bytes(min(left, _PIECE_BYTES))).decode()
            yield {"type": "response.output_audio.delta", **at, "delta": silence}, 0
            left -= _PIECE_BYTES
        yield {"type": "response.output_audio.done", **at}, 0
        yield {"type": f"{kind}.done", **at, "transcript": text}, 0
    else:
        yield {"type": f"{kind}.done", **at, "text": text}, 0
    whole = {**part, "type": shown["type"]}
    yield {"type": "response.content_part.done", **at, "part": whole}, 0
