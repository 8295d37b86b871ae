"""A chat completion as a stream of chunks."""

from __future__ import annotations

from typing import Any

from headgate.simulator.answer import Answer
from headgate.simulator.endpoints.identifier import new_id
from headgate.simulator.endpoints.logprobs import token_logprobs
from headgate.simulator.tokens import pieces
from headgate.simulator.wire.reply import DONE, Piece, data_event


def stream_pieces(
    frame: dict[str, Any],
    answers: tuple[Answer, ...],
    usage: dict[str, Any] | None,
    *,
    top_logprobs: int | None,
) -> tuple[Piece, ...]:
    """The events of the whole stream, its end included.

    `frame` has the fields every chunk shares. Where `usage` is given, each chunk says null and one
    more chunk, without choices, tells it. The choices take turns.
    """
    frame = {**frame, "object": "chat.completion.chunk"}
    if usage is not None:
        frame["usage"] = None
    waiting = [_choice(index, answer, top_logprobs) for index, answer in enumerate(answers)]
    sent: list[Piece] = []
    while waiting:
        for choice in waiting:
            delta, tokens = choice.pop(0)
            sent.append(data_event({**frame, "choices": [delta]}, tokens))
        waiting = [choice for choice in waiting if choice]
    if usage is not None:
        sent.append(data_event({**frame, "choices": [], "usage": usage}))
    sent.append(DONE)
    return tuple(sent)


def _choice(index: int, answer: Answer, top: int | None) -> list[tuple[dict[str, Any], int]]:
    """The deltas of one choice and the tokens of each."""

    def delta(part: dict[str, Any], logprobs: Any = None, finish: str | None = None) -> Any:
        return {"index": index, "delta": part, "logprobs": logprobs, "finish_reason": finish}

    deltas: list[tuple[dict[str, Any], int]] = []
    opening: dict[str, Any] = {"role": "assistant", "content": "", "refusal": None}
    if answer.tool_calls:
        opening["content"] = None
        for place, call in enumerate(answer.tool_calls):
            start = {
                "index": place,
                "id": new_id("call_"),
                "type": "function",
                "function": {"name": call.name, "arguments": ""},
            }
            deltas.append((delta({**(opening if place == 0 else {}), "tool_calls": [start]}), 1))
            for piece in pieces(call.arguments):
                part = {"index": place, "function": {"arguments": piece}}
                deltas.append((delta({"tool_calls": [part]}), 1))
    elif answer.refusal is not None:
        deltas.append((delta(opening), 0))
        deltas += [(delta({"refusal": piece}), 1) for piece in pieces(answer.refusal)]
    else:
        deltas.append((delta(opening), 0))
        told = token_logprobs(answer.text, top) if top is not None else []
        for place, piece in enumerate(pieces(answer.text)):
            logprobs = {"content": [told[place]], "refusal": None} if told else None
            deltas.append((delta({"content": piece}, logprobs), 1))
    deltas.append((delta({}, finish=answer.finish), 0))
    return deltas
