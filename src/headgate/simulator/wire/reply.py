"""What an endpoint answers: one JSON document, or a stream of server-sent events."""

from __future__ import annotations

from typing import Any

import msgspec

from headgate.simulator.wire.api_error import ApiError


class JsonReply(msgspec.Struct, frozen=True):
    """A document that is sent whole."""

    body: bytes
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    used_tokens: int = 0
    """What the call takes from the tokens' rate limit."""


class Piece(msgspec.Struct, frozen=True):
    """One server-sent event and how many tokens it takes the model to write it."""

    data: bytes
    tokens: int = 0


class StreamReply(msgspec.Struct, frozen=True):
    """Events that are sent one by one, at the model's rate."""

    pieces: tuple[Piece, ...]
    used_tokens: int = 0
    headers: tuple[tuple[str, str], ...] = ()


Reply = JsonReply | StreamReply


def json_reply(value: Any, *, status: int = 200, used_tokens: int = 0) -> JsonReply:
    """A reply whose body is `value` as JSON."""
    return JsonReply(body=msgspec.json.encode(value), status=status, used_tokens=used_tokens)


def error_reply(error: ApiError) -> JsonReply:
    """A reply that carries an error in OpenAI's shape."""
    return JsonReply(
        body=msgspec.json.encode(error.as_json()), status=error.status, headers=error.headers
    )


def data_event(value: Any, tokens: int = 0) -> Piece:
    """An event with a `data:` line only, as chat completions stream."""
    return Piece(b"data: " + msgspec.json.encode(value) + b"\n\n", tokens)


def named_event(value: dict[str, Any], tokens: int = 0) -> Piece:
    """An event with an `event:` line, which repeats the data's `type`, as Responses stream."""
    name = str(value["type"]).encode()
    return Piece(b"event: " + name + b"\ndata: " + msgspec.json.encode(value) + b"\n\n", tokens)


DONE = Piece(b"data: [DONE]\n\n")
"""The end of a stream of chat completions."""
