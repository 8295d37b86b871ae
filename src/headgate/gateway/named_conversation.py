"""Which conversation that a provider keeps a request names."""

from __future__ import annotations

import msgspec

from headgate.gateway.endpoints.endpoint import UNREADABLE
from headgate.gateway.request import Request


class _Named(msgspec.Struct):
    id: str | None = None


_named = msgspec.json.Decoder(_Named)
_string = msgspec.json.Decoder(str | None)


def earlier_turns_of(request: Request) -> str | None:
    """What the provider keeps of earlier turns, that the request goes on from."""
    return request.previous_response() or conversation_of(request)


def conversation_of(request: Request) -> str | None:
    """The conversation that the request is a turn of; None where none can be told."""
    raw = request.fields.get("conversation")
    if raw is None:
        return None
    try:
        return _named.decode(raw).id if bytes(raw).lstrip()[:1] == b"{" else _string.decode(raw)
    except UNREADABLE:
        return None
