"""Cuts bytes that come in pieces into lines, of which none may be longer than a bound. Pure."""

from __future__ import annotations


class LineTooLongError(Exception):
    """A line has more bytes than one may have; says which, counting from 1."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


class LineSplitter:
    """The lines of one file."""

    def __init__(self, max_line_bytes: int) -> None:
        self._max_line_bytes = max_line_bytes
        self._rest: list[bytes] = []
        self._rest_bytes = 0
        self._ended = 0

    def feed(self, data: bytes) -> list[bytes]:
        """The lines that have ended, without their ends. Raises `LineTooLongError`."""
        *lines, rest = data.split(b"\n")
        told: list[bytes] = []
        for line in lines:
            self._hold(line)
            told.append(self._end_line())
        self._hold(rest)
        return told

    def end(self) -> bytes:
        """What stands behind the last line's end."""
        return self._end_line()

    def _hold(self, part: bytes) -> None:
        self._rest_bytes += len(part)
        if self._rest_bytes > self._max_line_bytes:
            raise LineTooLongError(self._ended + 1)
        if part:
            self._rest.append(part)

    def _end_line(self) -> bytes:
        line = b"".join(self._rest)
        self._rest, self._rest_bytes = [], 0
        self._ended += 1
        return line
