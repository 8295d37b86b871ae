"""A request as an endpoint sees it: method, path, headers, and a body read and parsed."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qs

import msgspec

from headgate.simulator.wire.api_error import ApiError, invalid_type

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
JsonObject = dict[str, Any]


class ClientGoneError(Exception):
    """The client closed its connection before the request was complete."""


class Request(msgspec.Struct, frozen=True):
    """One HTTP request whose body has arrived."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    """Names in lower case; the last value of a name that comes twice."""
    body: bytes
    """As sent, but decompressed."""

    @property
    def bearer(self) -> str | None:
        """The token of `Authorization: Bearer`, or None."""
        scheme, _, token = self.headers.get("authorization", "").partition(" ")
        return token.strip() or None if scheme.lower() == "bearer" else None

    def query_value(self, name: str) -> str | None:
        """The last value of a query parameter, or None."""
        values = self.query.get(name)
        return values[-1] if values else None

    def json_object(self) -> JsonObject:
        """The body as a JSON object; `ApiError` 400 where it is anything else."""
        try:
            value = msgspec.json.decode(self.body)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise ApiError(
                400,
                "We could not parse the JSON body of your request. The API expects a JSON"
                f" payload, but what was sent was not valid JSON: {error}",
            ) from None
        if not isinstance(value, dict):
            raise invalid_type("body", "an object", value)
        return value


async def read_request(scope: Scope, receive: Receive, max_body_bytes: int) -> Request:
    """The whole request.

    Raises `ApiError` 413 for a body beyond `max_body_bytes`, compressed or not, and
    `ClientGoneError` when the connection ends first.
    """
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    parts: list[bytes] = []
    size_bytes = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGoneError
        part = message.get("body", b"")
        size_bytes += len(part)
        if size_bytes > max_body_bytes:
            raise _too_large(max_body_bytes)
        parts.append(part)
        if not message.get("more_body", False):
            break
    return Request(
        method=scope["method"],
        path=scope["path"],
        query=parse_qs(scope.get("query_string", b"").decode("latin-1")),
        headers=headers,
        body=_decompressed(b"".join(parts), headers.get("content-encoding", ""), max_body_bytes),
    )


def _decompressed(body: bytes, encoding: str, max_body_bytes: int) -> bytes:
    if encoding.strip().lower() in ("", "identity"):
        return body
    if encoding.strip().lower() != "gzip":
        raise ApiError(415, f"Unsupported content encoding: '{encoding}'. Use gzip or none.")
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(body)) as file:
            plain = file.read(max_body_bytes + 1)
    except (OSError, EOFError, zlib.error):
        raise ApiError(400, "The body of your request is not valid gzip.") from None
    if len(plain) > max_body_bytes:
        raise _too_large(max_body_bytes)
    return plain


def _too_large(max_body_bytes: int) -> ApiError:
    return ApiError(
        413,
        f"Maximum content size limit ({max_body_bytes} bytes) exceeded.",
        code="request_too_large",
    )
