"""A stream's events on their way through the guards: bytes of whole events in, and out."""

from __future__ import annotations

from typing import Any

import msgspec

from headgate.checks.guards.guard import BlockedError
from headgate.checks.guards.guarding import Guarding
from headgate.checks.guards.refusals import blocked_in_stream
from headgate.checks.parts.flow import FlowReader
from headgate.checks.parts.rewriting import TooManyChannelsError
from headgate.checks.parts.walker import TooDeepError
from headgate.errors import ContentBlockedError
from headgate.gateway.endpoints.endpoint import UNREADABLE, data_of, events_of

_decode = msgspec.json.decode
_encode = msgspec.json.encode


class GuardedStream:
    """The events of one answer."""

    def __init__(self, guarding: Guarding, reader: FlowReader) -> None:
        self._guarding = guarding
        self._reader = reader
        self._only_restores = guarding.streamed.only_restores
        self._rewriting = guarding.streamed.rewriting(reader)

    def feed(self, block: bytes, *, ended: bool = False) -> bytes:
        """What may be shown of `block`, whole events, the last ones where the stream has `ended`.

        Raises `ContentBlockedError`, and `GuardFailedError` where one fails; an event that the
        guards can't read is blocked.
        """
        if self._passes_by(block):
            return block
        told: list[bytes] = []
        try:
            for event in events_of(block):
                data = data_of(event)
                if data == b"[DONE]":
                    told += map(_written, self._rewriting.close())
                    told.append(event)
                elif data and not self._passes_by(event):
                    named = event.startswith(b"event:")
                    told += [
                        _written(one, named=named) for one in self._rewriting.event(_object(data))
                    ]
                else:
                    told.append(event)
            if ended:
                told += map(_written, self._rewriting.close())
        except BlockedError as error:
            raise blocked_in_stream(error) from None
        except (TooDeepError, TooManyChannelsError):
            raise ContentBlockedError(
                "The stream has a form that its guards can't follow.", code="guard_cannot_see"
            ) from None
        return b"".join(told)

    def _passes_by(self, block: bytes) -> bool:
        """Whether nothing in `block` can change: no placeholder begins in it, and none has begun.

        A placeholder begins with `<`, which JSON may also write with a backslash. Most events have
        neither, and reading them would take most of what guards cost a stream. Under load a block
        holds many events, of which one may have it.
        """
        return (
            self._only_restores
            and b"<" not in block
            and b"\\" not in block
            and self._guarding.streamed.holds_nothing
            and not self._reader.renumbers
        )

    async def settle(self) -> None:
        """Wait for what guards are still finding out. Raises as `feed` does, and for failures."""
        await self._guarding.streamed.settle()

    def end(self) -> None:
        """The stream is over: what its guards have made of it is noted."""
        self._guarding.streamed.end()


def _object(data: bytes) -> dict[str, Any]:
    try:
        value = _decode(data)
    except UNREADABLE:
        value = None
    if not isinstance(value, dict):
        raise TooDeepError
    return value


def _written(event: dict[str, Any], *, named: bool = False) -> bytes:
    data = b"data: " + _encode(event) + b"\n\n"
    if named and isinstance(kind := event.get("type"), str):
        return b"event: " + kind.encode() + b"\n" + data
    return data
