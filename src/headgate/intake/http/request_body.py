"""The body of a request: all of it, decompressed, within a limit."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from headgate.errors import (
    ClientGoneError,
    InvalidRequestError,
    PayloadTooLargeError,
    RequestTooSlowError,
    UnsupportedMediaTypeError,
)

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_DISCARDED_AT_MOST = 4
"""How many times the limit of an oversize body is read away, so that its sender hears the 413."""


async def read_body(
    receive: Receive, encoding: bytes | None, limit_bytes: int, idle_s: float
) -> bytes:
    """The request's body, without the `encoding` that its header names.

    Raises `PayloadTooLargeError`, `UnsupportedMediaTypeError`, `InvalidRequestError`, where none of
    it comes for `idle_s` `RequestTooSlowError` and, when the client leaves before it has sent all,
    `ClientGoneError`.
    """
    message = await _next_part(receive, idle_s)
    body: bytes = message.get("body", b"")
    if message.get("more_body", False) or len(body) > limit_bytes:
        body = await _rest_of_body(message, receive, limit_bytes, idle_s)
    return body if encoding is None else await decoded(body, encoding, limit_bytes)


async def decoded(body: bytes, encoding: bytes, limit_bytes: int) -> bytes:
    """`body` without its `encoding`; raises as `read_body` does."""
    if encoding == b"identity":
        return body
    return await asyncio.to_thread(_decompressed, body, encoding.strip().lower(), limit_bytes)


async def _next_part(receive: Receive, idle_s: float) -> Message:
    try:
        async with asyncio.timeout(idle_s):
            message = await receive()
    except TimeoutError:
        raise RequestTooSlowError(
            f"Nothing more of the body came for {idle_s:g} s; send it without pauses, or have the"
            " operator raise server.client_idle_s."
        ) from None
    if message["type"] == "http.disconnect":
        raise ClientGoneError
    return message


async def _rest_of_body(
    message: Message, receive: Receive, limit_bytes: int, idle_s: float
) -> bytes:
    parts: list[bytes] = []
    size_bytes = 0
    while True:
        part = message.get("body", b"")
        size_bytes += len(part)
        if size_bytes <= limit_bytes:
            parts.append(part)
        elif size_bytes > limit_bytes * _DISCARDED_AT_MOST:
            break
        if not message.get("more_body", False):
            break
        message = await _next_part(receive, idle_s)
    if size_bytes > limit_bytes:
        raise too_large(limit_bytes)
    return b"".join(parts)


def too_large(limit_bytes: int) -> PayloadTooLargeError:
    """The error for a body beyond `limit_bytes`."""
    return PayloadTooLargeError(
        f"The body is larger than {limit_bytes} bytes; send less, or have the operator raise"
        " server.max_body_bytes."
    )


def _decompressed(body: bytes, encoding: bytes, limit_bytes: int) -> bytes:
    """`body` without its gzip or deflate; a body that unpacks beyond the limit is refused."""
    if encoding in (b"gzip", b"x-gzip"):
        window = 16 + zlib.MAX_WBITS
    elif encoding == b"deflate":
        window = zlib.MAX_WBITS
    else:
        raise UnsupportedMediaTypeError(
            "The content-encoding of the body is not known; send it as gzip, deflate or plain."
        )
    unpacker = zlib.decompressobj(window)
    try:
        plain = unpacker.decompress(body, limit_bytes + 1)
    except zlib.error:
        raise InvalidRequestError(
            f"The body is not valid {encoding.decode()}.", code="invalid_encoding"
        ) from None
    if len(plain) > limit_bytes:
        raise too_large(limit_bytes)
    if not unpacker.eof or unpacker.unused_data:
        raise InvalidRequestError(
            f"The body is not one complete {encoding.decode()} stream.", code="invalid_encoding"
        )
    return plain
