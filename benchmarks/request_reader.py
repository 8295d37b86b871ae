"""Where does a request end? Puts the pieces that a stub reads together, for every stub here."""

from __future__ import annotations

import re
from typing import Final

MAX_REQUEST_BYTES: Final = 256 * 1024

_LENGTH: Final = re.compile(rb"content-length:[ \t]*(\d+)", re.IGNORECASE)


class RequestReader:
    """The requests of one connection, which come one after the other."""

    def __init__(self) -> None:
        self._received = b""

    def feed(self, data: bytes) -> bytes | None:
        """Return a request, head and body, once it is whole; ValueError for one that is too large.

        What came after it on the same connection is dropped: nobody here sends two at once.
        """
        data = self._received + data if self._received else data
        end = data.find(b"\r\n\r\n")
        length = _LENGTH.search(data, 0, end) if end >= 0 else None
        expected = end + 4 + (int(length.group(1)) if length else 0)
        if end >= 0 and len(data) >= expected:
            self._received = b""
            return data
        if len(data) > MAX_REQUEST_BYTES:
            raise ValueError("the request is too large")
        self._received = data
        return None
