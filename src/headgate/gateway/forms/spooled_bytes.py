"""Bytes that wait while a request is on its way: a little in memory, more in a file."""

from __future__ import annotations

import asyncio
import os
import tempfile
from typing import IO

from headgate.errors import UnavailableError

IN_MEMORY_BYTES = 1024 * 1024
"""What there is beyond this goes to a file."""


class SpoolRoom:
    """How much one process may have in such files at a time."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self.used_bytes = 0

    def take(self, size_bytes: int) -> None:
        """Use some of it; `UnavailableError` where there is no room."""
        if self.used_bytes + size_bytes > self._limit_bytes:
            raise UnavailableError(
                "Too many large forms are on their way; try again shortly, or have the operator"
                " raise endpoints.max_spooled_bytes.",
                code="overloaded",
            )
        self.used_bytes += size_bytes

    def give_back(self, size_bytes: int) -> None:
        """Use it no more."""
        self.used_bytes -= size_bytes


class SpooledBytes:
    """Some bytes; `close` them at the end of their request."""

    def __init__(self, room: SpoolRoom) -> None:
        self.size_bytes = 0
        self._room = room
        self._head = bytearray()
        self._file: IO[bytes] | None = None
        self._filed_bytes = 0
        self._closed = False

    async def add(self, data: bytes) -> None:
        """Take in more of them. Raises `UnavailableError` where there is no room."""
        self.size_bytes += len(data)
        if self._file is None and self.size_bytes <= IN_MEMORY_BYTES:
            self._head += data
            return
        self._room.take(len(data))
        self._filed_bytes += len(data)
        await asyncio.to_thread(self._write, data)

    async def read(self, start: int, size: int) -> bytes:
        """Some of them, at most `size`."""
        in_memory = len(self._head)
        if start < in_memory:
            return bytes(self._head[start : start + size])
        return await asyncio.to_thread(self._read, start - in_memory, size)

    def close(self) -> None:
        """Forget them."""
        self._closed = True
        self._head.clear()
        if self._file is not None:
            self._file.close()
            self._file = None
        self._room.give_back(self._filed_bytes)
        self._filed_bytes = 0

    def _write(self, data: bytes) -> None:
        if self._file is None:
            # Without a name, so that nothing is left of it where the process is killed.
            self._file = tempfile.TemporaryFile(prefix="headgate-")  # noqa: SIM115 - see close()
        if self._closed:
            # Its request was cancelled while this thread was on its way here.
            self._file.close()
            return
        self._file.write(data)
        self._file.flush()

    def _read(self, start: int, size: int) -> bytes:
        if self._file is None:
            raise ValueError("what waited was forgotten")
        return os.pread(self._file.fileno(), size, start)
