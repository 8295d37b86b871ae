"""A call's form, kept while the call is on its way: a little in memory, more in a file.

A call must know its model, which may stand behind the file in the form, and must be able to ask
again where a target fails; so its form is read to its end first.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from typing import IO

from headgate.errors import InvalidRequestError, UnavailableError
from headgate.gateway.forms.reader import FormReader, boundary_of
from headgate.gateway.upstream import RequestBody

IN_MEMORY_BYTES = 1024 * 1024
"""What a form has beyond this goes to a file."""

_CHUNK_BYTES = 256 * 1024


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


class SpooledForm:
    """A form that has arrived; `close` it at the end of its call."""

    def __init__(self, content_type: bytes, boundary: bytes, room: SpoolRoom) -> None:
        self.content_type = content_type
        self.reader = FormReader(boundary)
        self._boundary = boundary
        self.size_bytes = 0
        self._room = room
        self._head = bytearray()
        self._file: IO[bytes] | None = None
        self._filed_bytes = 0
        self._closed = False
        self._replaced: dict[str, list[bytes]] = {}

    async def add(self, data: bytes) -> None:
        """Take in the next bytes of it."""
        self.reader.feed(data)
        self.size_bytes += len(data)
        if self._file is None and self.size_bytes <= IN_MEMORY_BYTES:
            self._head += data
            return
        self._room.take(len(data))
        self._filed_bytes += len(data)
        await asyncio.to_thread(self._write, data)

    def replace(self, name: str, values: list[bytes]) -> None:
        """Say `values` from now on in the text fields called `name`, one for each of them."""
        self._replaced[name] = values

    def body_for(self, model: str) -> RequestBody:
        """Its bytes once more, naming `model` unless that is "". Several may be read at a time."""
        replaced = dict(self._replaced)
        pieces: list[tuple[int, int] | bytes] = []
        if model:
            replaced["model"] = [model.encode()]
            if all(field.name != "model" for field in self.reader.fields):
                # A form begins with its boundary, so that another part can go before it.
                head = b'--%b\r\nContent-Disposition: form-data; name="model"\r\n\r\n%b\r\n'
                pieces.append(head % (self._boundary, model.encode()))
        left = {name: iter(values) for name, values in replaced.items()}
        at = 0
        for field in self.reader.fields:
            value = next(left[field.name], None) if field.name in left else None
            if value is not None:
                pieces += [(at, field.start), value]
                at = field.start + len(field.value)
        pieces.append((at, self.size_bytes))
        return _FormBody(self, pieces)

    async def read(self, start: int, size: int) -> bytes:
        """Some of it, at most `size` bytes."""
        in_memory = len(self._head)
        if start < in_memory:
            return bytes(self._head[start : start + size])
        return await asyncio.to_thread(self._read, start - in_memory, size)

    def close(self) -> None:
        """Forget it."""
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
            # Its call was cancelled while this thread was on its way here.
            self._file.close()
            return
        self._file.write(data)
        self._file.flush()

    def _read(self, start: int, size: int) -> bytes:
        if self._file is None:
            raise ValueError("the form is closed")
        return os.pread(self._file.fileno(), size, start)


class _FormBody:
    """The bytes of a form, with some put in the place of others."""

    def __init__(self, form: SpooledForm, pieces: list[tuple[int, int] | bytes]) -> None:
        self._form = form
        self._pieces = pieces
        self.length_bytes: int | None = sum(
            len(piece) if isinstance(piece, bytes) else piece[1] - piece[0] for piece in pieces
        )

    async def next_chunk(self) -> bytes:
        """See `RequestBody`."""
        while self._pieces:
            piece = self._pieces[0]
            if isinstance(piece, bytes):
                self._pieces.pop(0)
                if piece:
                    return piece
                continue
            start, end = piece
            if start >= end:
                self._pieces.pop(0)
                continue
            data = await self._form.read(start, min(_CHUNK_BYTES, end - start))
            self._pieces[0] = (start + len(data), end)
            return data
        return b""


async def spool(source: RequestBody, content_type: bytes, room: SpoolRoom) -> SpooledForm:
    """Read a form to its end. Raises what `source` raises, and for one that is not well formed."""
    boundary = boundary_of(content_type)
    if boundary is None:
        raise InvalidRequestError(
            "The content-type must be multipart/form-data with a boundary.", code="invalid_form"
        )
    form = SpooledForm(content_type, boundary, room)
    try:
        while data := await source.next_chunk():
            await form.add(data)
        form.reader.end()
    except BaseException:
        form.close()
        raise
    return form
