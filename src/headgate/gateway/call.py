"""One call on its way: its record, when it began, and the one who waits for its answer."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from random import getrandbits
from typing import Protocol

import msgspec

from headgate.errors import HeadgateError, InvalidRequestError
from headgate.gateway.caller import Caller
from headgate.gateway.routing import Target
from headgate.ledger.record import CallRecord
from headgate.storage.identifiers import new_id

Headers = list[tuple[bytes, bytes]]

FEATURE = re.compile(r"[\w./: -]{1,64}", re.ASCII)
"""What `x-headgate-feature` may be."""
_TRACEPARENT = re.compile(rb"[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")


class LastWords(msgspec.Struct, frozen=True):
    """What remains to be sent once the call is recorded: a whole answer, or a stream's end."""

    body: bytes
    status: int = 0
    """0: the head has been sent already, `body` ends the stream."""
    headers: Headers = []
    unless: Callable[[HeadgateError], bytes] | None = None
    """Of a stream's end: the event to end it with if the call can't be recorded; where that is
    empty, the stream is cut."""
    cut: bool = False
    """End the connection instead: of a stream that can't say in itself that it broke off."""


class Refusal(msgspec.Struct, frozen=True):
    """An error as the whole answer; whoever speaks to the client gives it its form."""

    error: HeadgateError
    headers: Headers


class Client(Protocol):
    """The one who waits for an answer: an application over HTTP, or a run in this process."""

    @property
    def gone(self) -> bool:
        """Whether it has closed the connection; then it cancels the task that carries its call."""

    async def begin(self, status: int, headers: Headers) -> None:
        """Send the head of a stream."""

    async def write(self, data: bytes) -> None:
        """Send a piece of it."""

    async def finish(self, last: LastWords | Refusal) -> None:
        """Send what remains, and the end."""


class Call:
    """One request to a model, from the moment its caller is known until it is recorded."""

    __slots__ = ("caller", "cancelled", "forwarded", "from_run", "record", "started_ns", "target")

    def __init__(
        self, caller: Caller, endpoint: str, *, trace_id: str, forwarded: bytes = b""
    ) -> None:
        self.caller = caller
        self.forwarded = forwarded
        """Header lines of the client's that the provider shall see too."""
        self.cancelled = False
        """Whether the task that carries it was told to stop."""
        self.from_run = False
        """Whether a run makes it: then the workflow's owner, not the key, chose the model."""
        self.target: Target | None = None
        """The target of the last attempt."""
        self.started_ns = time.perf_counter_ns()
        self.record = CallRecord(
            id=new_id("call"),
            started_at_us=time.time_ns() // 1000,
            project=caller.project,
            key_id=caller.key_id,
            endpoint=endpoint,
            trace_id=trace_id,
        )

    def elapsed_us(self) -> int:
        """Microseconds since the call began."""
        return (time.perf_counter_ns() - self.started_ns) // 1000

    def name_feature(self, header: bytes) -> None:
        """Note what the cost is for, from `x-headgate-feature`."""
        self.record.feature = feature_from(header)

    def name_user(self, user: str | None, hash_user: Callable[[str], str]) -> None:
        """Note the end user, of whom only the keyed hash is kept."""
        if user:
            self.record.user_hash = hash_user(user)


def feature_from(header: bytes) -> str:
    """What `x-headgate-feature` says the cost is for; `InvalidRequestError` where it can't be."""
    feature = header.decode("latin-1")
    if not FEATURE.fullmatch(feature):
        raise InvalidRequestError(
            "The header x-headgate-feature takes 1 to 64 letters, digits, spaces and ./:_-.",
            param="x-headgate-feature",
        )
    return feature


def trace_id_from(traceparent: bytes | None) -> str:
    """The trace that a W3C `traceparent` header names, or a new one."""
    if traceparent is not None:
        found = _TRACEPARENT.fullmatch(traceparent)
        if found:
            return found[1].decode()
    return f"{getrandbits(128):032x}"
