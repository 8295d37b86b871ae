"""How an error becomes HTTP: OpenAI's error shape and the headers its SDKs read. The one place."""

from __future__ import annotations

from math import ceil

import msgspec

from headgate.errors import HeadgateError
from headgate.telemetry.faults import log_fault

__all__ = [
    "ErrorBody",
    "ErrorDetail",
    "error_body",
    "error_headers",
    "internal_error",
    "log_fault",
]

_encoder = msgspec.json.Encoder()


class ErrorDetail(msgspec.Struct, frozen=True):
    """What went wrong."""

    message: str
    """For people: what is wrong and what to do."""
    type: str
    param: str | None
    """The field or parameter that is wrong."""
    code: str | None
    """For programs."""


class ErrorBody(msgspec.Struct, frozen=True):
    """The body of every error."""

    error: ErrorDetail


def error_body(error: HeadgateError) -> bytes:
    """The JSON that a client is answered for `error`."""
    return _encoder.encode(
        ErrorBody(ErrorDetail(error.message, error.type, error.param, error.code))
    )


def error_headers(error: HeadgateError) -> list[tuple[bytes, bytes]]:
    """What `error` adds to the reply's headers, in lower case; not its content type or length."""
    headers: list[tuple[bytes, bytes]] = []
    if error.retryable is not None:
        headers.append((b"x-should-retry", b"true" if error.retryable else b"false"))
    if error.retry_after_s is not None:
        # The SDKs read the one in milliseconds first; HTTP knows whole seconds only.
        headers.append((b"retry-after", b"%d" % max(1, ceil(error.retry_after_s))))
        headers.append((b"retry-after-ms", b"%d" % max(1, ceil(error.retry_after_s * 1000))))
    if error.status == 401:
        headers.append((b"www-authenticate", b'Bearer realm="headgate"'))
    return headers


def internal_error(request_id: str) -> HeadgateError:
    """What a client is told of a fault of ours: where to look for it, and nothing of it."""
    return HeadgateError(
        f"Headgate failed to handle this request; its log tells why under {request_id}."
    )
