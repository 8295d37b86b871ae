"""The form that a browser posted: small, typed by name, each field once."""

from __future__ import annotations

import asyncio
from urllib.parse import parse_qsl

from starlette.requests import ClientDisconnect, Request

from headgate.errors import (
    ClientGoneError,
    InvalidRequestError,
    PayloadTooLargeError,
    RequestTooSlowError,
)

MAX_BYTES = 4 * 1024 * 1024
_MAX_FIELDS = 200
_MAX_S = 60.0
"""How long a browser may take to post one."""


async def read_form(request: Request) -> dict[str, str]:
    """The fields; `InvalidRequestError` where it is no form, `PayloadTooLargeError` beyond 4 MB."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise InvalidRequestError("That is no form of these pages; go back and try again.")
    parts: list[bytes] = []
    size_bytes = 0
    try:
        async with asyncio.timeout(_MAX_S):
            async for part in request.stream():
                size_bytes += len(part)
                if size_bytes > MAX_BYTES:
                    raise PayloadTooLargeError(f"The form has more than {MAX_BYTES} bytes.")
                parts.append(part)
    except TimeoutError:
        raise RequestTooSlowError(f"The form did not come within {_MAX_S:g} s.") from None
    except ClientDisconnect:
        raise ClientGoneError from None
    try:
        pairs = parse_qsl(
            b"".join(parts).decode("ascii"),
            keep_blank_values=True,
            max_num_fields=_MAX_FIELDS,
            encoding="utf-8",
            errors="strict",
        )
    except ValueError:  # also what can't be decoded
        raise InvalidRequestError("The form is not well formed; go back and try again.") from None
    # Browsers send a field's lines with \r\n, whatever they were typed as.
    return {name: value.replace("\r\n", "\n") for name, value in pairs}
