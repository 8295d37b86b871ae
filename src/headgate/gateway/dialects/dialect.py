"""How a provider wants to be spoken to: a request as it takes it, its answers as OpenAI's.

Everything else in the gateway knows OpenAI's shapes only. A dialect does no I/O.
"""

from __future__ import annotations

from typing import Any, Protocol

import msgspec

from headgate.gateway.endpoints import StreamReader
from headgate.gateway.request import Request
from headgate.gateway.upstream import RequestBody

Model = dict[str, Any]
"""OpenAI's model object: `id`, `object`, `created`, `owned_by`, and what a provider adds."""


Headers = list[tuple[bytes, bytes]]


class Outgoing(msgspec.Struct, frozen=True):
    """A request as a provider takes it."""

    target: bytes
    """The request target: the path, and the query where there is one."""
    body: bytes | RequestBody
    """In memory, or as it comes where the request is a form."""
    content_type: bytes = b"application/json"


class Dialect(Protocol):
    """One kind of provider's way of speaking."""

    translates: bool
    """Whether there are requests that it can't carry, which `check` and `outgoing` refuse."""
    keeps_responses: bool
    """Whether the provider keeps responses, which can be asked for again by their id."""

    def headers(self, api_key: str | None) -> tuple[str, ...]:
        """The header lines that a provider of this kind wants, the key's among them."""

    def limits(self, headers: Headers) -> Headers:
        """What `headers` of a reply say of rate limits, in the `x-ratelimit-*` of OpenAI's."""

    def check(self, request: Request) -> None:
        """Raise `UnsupportedError` for a field that can't be said; quick, so not for all that."""

    def outgoing(self, request: Request, model: str) -> Outgoing:
        """`request` for `model`. Raises `HeadgateError` for what can't be said in this dialect."""

    def answer(self, request: Request, status: int, body: bytes) -> bytes:
        """A whole reply, or an error's, in OpenAI's shape. Raises `UNREADABLE` where it is none."""

    def stream_reader(self, request: Request) -> StreamReader:
        """A reader of a stream that hands it on in OpenAI's shape."""

    def path(self, below: bytes) -> bytes:
        """The request target of another address below the provider's base URL."""

    def realtime_path(self, model: str, query: bytes) -> bytes:
        """The request target of a realtime session with `model`; `query` is more of its query.

        Raises `UnsupportedError` where there are none.
        """

    def models_path(self) -> bytes:
        """The request target of its list of models."""

    def models(self, body: bytes) -> list[Model]:
        """The models that a list tells. Raises `UNREADABLE`."""
