"""How a provider wants to be spoken to: a request as it takes it, its answers as OpenAI's.

Everything else in the gateway knows OpenAI's shapes only. A dialect does no I/O.
"""

from __future__ import annotations

from typing import Protocol

import msgspec

from headgate.gateway.endpoints import StreamReader
from headgate.gateway.request import Request
from headgate.gateway.upstream import RequestBody


class Outgoing(msgspec.Struct, frozen=True):
    """A request as a provider takes it."""

    target: bytes
    """The request target: the path, and the query where there is one."""
    body: bytes | RequestBody
    """In memory, or as it comes where the request is a form."""
    content_type: bytes = b"application/json"


class Dialect(Protocol):
    """One kind of provider's way of speaking."""

    def outgoing(self, request: Request, model: str) -> Outgoing:
        """`request` for `model`. Raises `HeadgateError` for what can't be said in this dialect."""

    def answer(self, request: Request, status: int, body: bytes) -> bytes:
        """A whole reply, or an error's, in OpenAI's shape. Raises `UNREADABLE` where it is none."""

    def stream_reader(self, request: Request) -> StreamReader:
        """A reader of a stream that hands it on in OpenAI's shape."""


class OpenAIDialect:
    """The dialect of OpenAI and of every server that speaks its API: all is as it is."""

    def __init__(self, base_path: bytes) -> None:
        self._base_path = base_path
        """The path of the provider's base URL, without a slash at its end."""

    def outgoing(self, request: Request, model: str) -> Outgoing:
        """See `Dialect`."""
        target = self._base_path + request.endpoint.target
        if request.form is not None:
            return Outgoing(target, request.form.body_for(model), request.form.content_type)
        return Outgoing(target, request.body_for(model))

    def answer(self, request: Request, status: int, body: bytes) -> bytes:  # noqa: ARG002
        """See `Dialect`."""
        return body

    def stream_reader(self, request: Request) -> StreamReader:
        """See `Dialect`."""
        return request.endpoint.reader_for(request.fields, hide_usage=request.hide_usage)
