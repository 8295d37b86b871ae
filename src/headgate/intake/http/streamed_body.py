"""The body of a request as it comes, for those that are too large to be held."""

from __future__ import annotations

import asyncio

from headgate.errors import (
    ClientGoneError,
    PayloadTooLargeError,
    RequestTooSlowError,
    UnsupportedMediaTypeError,
)
from headgate.intake.http.request_body import Receive


def is_form(headers: dict[bytes, bytes]) -> bool:
    """Whether a request's body is a multipart form."""
    return headers.get(b"content-type", b"").lower().startswith(b"multipart/form-data")


class StreamedBody:
    """A `RequestBody` from an ASGI server, within a limit."""

    def __init__(
        self, headers: dict[bytes, bytes], receive: Receive, *, limit_bytes: int, idle_s: float
    ) -> None:
        """Raises `PayloadTooLargeError` where it says that it is, `UnsupportedMediaTypeError`."""
        if headers.get(b"content-encoding", b"identity").strip().lower() != b"identity":
            raise UnsupportedMediaTypeError("A form or an upload must not be compressed.")
        declared = headers.get(b"content-length", b"")
        self.length_bytes: int | None = int(declared) if declared.isdigit() else None
        self._receive = receive
        self._limit_bytes = limit_bytes
        self._idle_s = idle_s
        self._size_bytes = 0
        self._ended = False
        if self.length_bytes is not None and self.length_bytes > limit_bytes:
            raise self._too_large()

    async def next_chunk(self) -> bytes:
        """See `RequestBody`.

        Raises `ClientGoneError`, `PayloadTooLargeError` and `RequestTooSlowError`.
        """
        while not self._ended:
            try:
                async with asyncio.timeout(self._idle_s):
                    message = await self._receive()
            except TimeoutError:
                raise RequestTooSlowError(
                    f"Nothing more of the body came for {self._idle_s:g} s; send it without"
                    " pauses, or have the operator raise endpoints.upload_idle_s."
                ) from None
            if message["type"] == "http.disconnect":
                raise ClientGoneError
            data: bytes = message.get("body", b"")
            self._size_bytes += len(data)
            self._ended = not message.get("more_body", False)
            if self._size_bytes > self._limit_bytes:
                raise self._too_large()
            if data:
                return data
        return b""

    def _too_large(self) -> PayloadTooLargeError:
        return PayloadTooLargeError(
            f"The body is larger than {self._limit_bytes} bytes; send less, or have the operator"
            " raise endpoints.max_upload_bytes."
        )
