"""Splits a stream of server-sent events into their data; bounded."""

from __future__ import annotations

import msgspec


class ServerEvent(msgspec.Struct):
    """One event of a stream."""

    data: bytes = b""
    id: str | None = None
    retry_ms: int | None = None


class EventTooLargeError(Exception):
    """An event is larger than is read."""


class EventSplitter:
    """Bytes in, events out (HTML Living Standard, 9.2.6), whatever their line ends."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._rest = b""
        self._lines: list[bytes] = []
        self._size_bytes = 0
        self._id: str | None = None
        self._retry_ms: int | None = None

    def feed(self, chunk: bytes) -> list[ServerEvent]:
        """The events that `chunk` completes. Raises `EventTooLargeError`."""
        *lines, self._rest = self._cut(chunk)
        if len(self._rest) + self._size_bytes > self._limit_bytes:
            raise EventTooLargeError
        events = []
        for line in lines:
            if line:
                self._take(line)
            elif self._lines or self._id is not None or self._retry_ms is not None:
                events.append(
                    ServerEvent(b"\n".join(self._lines), id=self._id, retry_ms=self._retry_ms)
                )
                self._lines, self._size_bytes, self._id, self._retry_ms = [], 0, None, None
        return events

    def _cut(self, chunk: bytes) -> list[bytes]:
        # A CR at the very end may be half of a CRLF, and waits.
        data, held = self._rest + chunk, b""
        if data.endswith(b"\r"):
            data, held = data[:-1], b"\r"
        lines = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        lines[-1] += held
        return lines

    def _take(self, line: bytes) -> None:
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"data":
            self._lines.append(value)
            self._size_bytes += len(value) + 1
            if self._size_bytes > self._limit_bytes:
                raise EventTooLargeError
        elif name == b"id" and b"\0" not in value and len(value) <= 1024:
            self._id = value.decode("utf-8", "replace")
        elif name == b"retry" and value.isdigit() and len(value) < 10:
            self._retry_ms = int(value)
