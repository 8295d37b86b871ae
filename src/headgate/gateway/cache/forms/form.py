"""What the cache must know of an endpoint's answers to keep and to replay them. No I/O."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any, Protocol

import msgspec

from headgate.gateway.endpoints import Usage

PIECE_CHARACTERS = 256
"""How much text one event of a replayed stream carries."""

_encode = msgspec.json.encode


class Scribe(Protocol):
    """Listens to one stream and has its whole answer in the end."""

    def feed(self, block: bytes) -> None:
        """Take in whole events, as the client sees them."""

    def whole(self, usage: Usage) -> bytes | None:
        """The answer as if it had not been streamed; None where it can't be kept."""


class AnswerForm(ABC):
    """The answers of one endpoint."""

    @abstractmethod
    def complete(self, body: bytes) -> bool:
        """Whether a whole answer came to its own end, so that it may be given again."""

    @abstractmethod
    def scribe(self, limit_bytes: int) -> Scribe | None:
        """A listener that holds at most about `limit_bytes`; None where nothing is streamed."""

    @abstractmethod
    def events(self, body: bytes, *, include_usage: bool) -> bytes:
        """A whole answer told as a stream, with its end."""


def pieces(text: str) -> Iterator[str]:
    """`text` in the order in which it is told."""
    for start in range(0, len(text), PIECE_CHARACTERS):
        yield text[start : start + PIECE_CHARACTERS]


def data_event(body: Any) -> bytes:
    """A server-sent event without a name."""
    return b"data: " + _encode(body) + b"\n\n"


def named_event(name: str, body: Any) -> bytes:
    """A server-sent event with one."""
    return b"event: " + name.encode() + b"\ndata: " + _encode(body) + b"\n\n"
