"""A response as a stream of typed events, numbered from 0."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from headgate.simulator.tokens import pieces
from headgate.simulator.wire.reply import Piece, named_event

Event = tuple[dict[str, Any], int]


def stream_events(frame: dict[str, Any], response: dict[str, Any]) -> tuple[Piece, ...]:
    """The events that build up `response`, from `frame`, which is its state at the start."""
    events: list[Event] = [
        ({"type": "response.created", "response": frame}, 0),
        ({"type": "response.in_progress", "response": frame}, 0),
    ]
    for index, item in enumerate(response["output"]):
        events += _item(item, index)
    ending = "response.completed" if response["status"] == "completed" else "response.incomplete"
    events.append(({"type": ending, "response": response}, 0))
    return tuple(
        named_event({"type": event["type"], "sequence_number": number, **event}, tokens)
        for number, (event, tokens) in enumerate(events)
    )


def _item(item: dict[str, Any], index: int) -> Iterator[Event]:
    at = {"output_index": index}
    match item["type"]:
        case "reasoning":
            inner = _summaries(item, index)
            opening = {**item, "summary": []}
        case "function_call":
            inner = _arguments(item, index)
            opening = {**item, "status": "in_progress", "arguments": ""}
        case _:
            inner = _content(item, index)
            opening = {**item, "status": "in_progress", "content": []}
    yield {"type": "response.output_item.added", **at, "item": opening}, 0
    yield from inner
    yield {"type": "response.output_item.done", **at, "item": item}, 0


def _content(item: dict[str, Any], index: int) -> Iterator[Event]:
    for place, part in enumerate(item["content"]):
        at = {"item_id": item["id"], "output_index": index, "content_index": place}
        field = "refusal" if part["type"] == "refusal" else "text"
        empty = {**part, field: "", **({} if field == "refusal" else {"logprobs": []})}
        yield {"type": "response.content_part.added", **at, "part": empty}, 0
        yield from _deltas(part, field, at)
        yield {"type": "response.content_part.done", **at, "part": part}, 0


def _deltas(part: dict[str, Any], field: str, at: dict[str, Any]) -> Iterator[Event]:
    if field == "refusal":
        for piece in pieces(part["refusal"]):
            yield {"type": "response.refusal.delta", **at, "delta": piece}, 1
        yield {"type": "response.refusal.done", **at, "refusal": part["refusal"]}, 0
        return
    told = [_short(logprob) for logprob in part["logprobs"]]
    for place, piece in enumerate(pieces(part["text"])):
        logprobs = told[place : place + 1]
        delta = {"type": "response.output_text.delta", **at, "delta": piece, "logprobs": logprobs}
        yield delta, 1
    done = {"type": "response.output_text.done", **at, "text": part["text"], "logprobs": told}
    yield done, 0


def _short(logprob: dict[str, Any]) -> dict[str, Any]:
    """A token's probability as events carry it: without its bytes."""
    return {
        "token": logprob["token"],
        "logprob": logprob["logprob"],
        "top_logprobs": [
            {"token": other["token"], "logprob": other["logprob"]}
            for other in logprob["top_logprobs"]
        ],
    }


def _arguments(item: dict[str, Any], index: int) -> Iterator[Event]:
    at = {"item_id": item["id"], "output_index": index}
    for piece in pieces(item["arguments"]):
        yield {"type": "response.function_call_arguments.delta", **at, "delta": piece}, 1
    yield (
        {
            "type": "response.function_call_arguments.done",
            **at,
            "arguments": item["arguments"],
        },
        0,
    )


def _summaries(item: dict[str, Any], index: int) -> Iterator[Event]:
    kind = "response.reasoning_summary"
    for place, part in enumerate(item["summary"]):
        at = {"item_id": item["id"], "output_index": index, "summary_index": place}
        yield {"type": f"{kind}_part.added", **at, "part": {**part, "text": ""}}, 0
        for piece in pieces(part["text"]):
            yield {"type": f"{kind}_text.delta", **at, "delta": piece}, 1
        yield {"type": f"{kind}_text.done", **at, "text": part["text"]}, 0
        yield {"type": f"{kind}_part.done", **at, "part": part}, 0
