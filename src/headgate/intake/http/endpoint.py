"""One endpoint of the administrative and workflow API, as data: address, permission, handler.

A room's API is a function or class that returns `Endpoint`s whose handlers close over what they
need; `routes.py` gathers them, checks key and permission before a handler runs, and renders what
it returns or raises. Endpoints served elsewhere (`/v1/…`) are listed too, without a handler, so
that the reference and the role tests see them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from ipaddress import IPv4Network, IPv6Network
from typing import Any, Literal, TypeVar

import msgspec
from starlette.datastructures import Headers

from headgate.errors import AuthenticationError
from headgate.gateway.caller import Caller
from headgate.intake.access.roles import Permission
from headgate.intake.http.inputs import Input, json_body, query_string

T = TypeVar("T")

Method = Literal["GET", "POST", "DELETE"]


class ApiRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A request whose key has been checked, with its body read whole."""

    request_id: str
    known_caller: Caller | None
    """Who asks; None only at endpoints that need no key."""
    client_address: str | None
    """The client's IP address behind any trusted proxies; None on a Unix socket."""
    path: Mapping[str, str]
    """The `{name}` parts of the address, decoded."""
    query_pairs: tuple[tuple[str, str], ...]
    headers: Headers
    """Case-insensitive."""
    body: bytes
    is_stopping: Callable[[], bool] = lambda: False
    """Whether the server has begun to stop, so that an answer without an end must end."""

    @property
    def caller(self) -> Caller:
        """Who asks; `AuthenticationError` (401) where the endpoint was open and no key came."""
        if self.known_caller is None:
            raise AuthenticationError
        return self.known_caller

    def json(self, kind: type[T]) -> T:
        """The body as a `kind`; `InvalidRequestError` (400) names the field that is wrong."""
        return json_body(self.body, kind)

    def query(self, kind: type[T]) -> T:
        """The query as a `kind`; `InvalidRequestError` (400) names the field that is wrong."""
        return query_string(self.query_pairs, kind)


class ApiReply(msgspec.Struct, frozen=True, kw_only=True):
    """What a handler answers."""

    body: Any = None
    """`bytes` are sent as they are, None as no body, everything else as JSON.

    An async generator of `bytes` is a stream; it is closed when it is read or the client has gone.
    """
    status: int = 200
    headers: Mapping[str, str] = {}
    media_type: str = "application/json"


Handler = Callable[[ApiRequest], Awaitable[ApiReply]]


class HeaderParameter(msgspec.Struct, frozen=True):
    """A request header that an endpoint reads, for the reference."""

    name: str
    description: str


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """One method at one address."""

    method: Method
    path: str
    """With `{name}` for the parts that vary, such as `/api/runs/{id}`."""
    permission: Permission | None
    """What the key's role must be allowed; None needs no key at all."""
    summary: str
    """One line for the reference."""
    tag: str
    """The reference's chapter, such as `keys`."""
    handler: Handler | None = None
    """None: served by the hot path; listed for the reference and the role tests."""
    query: type[Input] | None = None
    """What the query may hold; None allows no query."""
    request: type | None = None
    """The body's type, an `Input` where fields are ours; None: a body is not read."""
    response: type | None = None
    """The answer's type, for the reference."""
    status: int = 200
    """The status of success, for the reference."""
    request_headers: tuple[HeaderParameter, ...] = ()
    open_to: tuple[IPv4Network | IPv6Network, ...] = ()
    """Peers that need no key, if they come without forwarding headers."""
