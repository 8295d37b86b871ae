"""A request's form, kept while the request is on its way.

A call must know its model, which may stand behind the file in the form, and must be able to ask
again where a target fails; guards must have seen all of a form before any of it leaves. So it is
read to its end first.
"""

from __future__ import annotations

from headgate.errors import InvalidRequestError
from headgate.gateway.forms.reader import FormFile, FormReader, boundary_of
from headgate.gateway.forms.spooled_bytes import SpooledBytes, SpoolRoom
from headgate.gateway.upstream import RequestBody

_CHUNK_BYTES = 256 * 1024

_Piece = bytes | tuple[SpooledBytes, int, int]
"""What a body is made of: bytes, or a stretch of what waits."""


class SpooledForm:
    """A form that has arrived; `close` it at the end of its request."""

    def __init__(self, content_type: bytes, boundary: bytes, room: SpoolRoom) -> None:
        self.content_type = content_type
        self.reader = FormReader(boundary)
        self._boundary = boundary
        self._room = room
        self._bytes = SpooledBytes(room)
        self._replaced: dict[str, list[bytes]] = {}
        self._edits: list[tuple[int, int, bytes | SpooledBytes]] = []

    @property
    def size_bytes(self) -> int:
        """How much has arrived."""
        return self._bytes.size_bytes

    async def add(self, data: bytes) -> None:
        """Take in the next bytes of it."""
        self.reader.feed(data)
        await self._bytes.add(data)

    def replace(self, name: str, values: list[bytes]) -> None:
        """Say `values` from now on in the text fields called `name`, one for each of them."""
        self._replaced[name] = values

    def rename(self, file: FormFile, filename: bytes) -> None:
        """Call `file` by another name from now on; it must have one."""
        end = file.filename_start + len(file.filename)
        self._edits.append((file.filename_start, end, filename))

    def refill(self, file: FormFile) -> SpooledBytes:
        """Where to write what `file` is to hold from now on."""
        content = SpooledBytes(self._room)
        self._edits.append((file.start, file.end, content))
        return content

    def body_for(self, model: str) -> RequestBody:
        """Its bytes once more, naming `model` unless that is "". Several may be read at a time."""
        replaced = dict(self._replaced)
        pieces: list[_Piece] = []
        edits = list(self._edits)
        if model:
            replaced["model"] = [model.encode()]
            if all(field.name != "model" for field in self.reader.fields):
                # A form begins with its boundary, so that another part can go before it.
                head = b'--%b\r\nContent-Disposition: form-data; name="model"\r\n\r\n%b\r\n'
                pieces.append(head % (self._boundary, model.encode()))
        left = {name: iter(values) for name, values in replaced.items()}
        for field in self.reader.fields:
            value = next(left[field.name], None) if field.name in left else None
            if value is not None:
                edits.append((field.start, field.start + len(field.value), value))
        at = 0
        for start, end, told in sorted(edits, key=lambda edit: edit[0]):
            pieces.append((self._bytes, at, start))
            pieces.append(told if isinstance(told, bytes) else (told, 0, told.size_bytes))
            at = end
        pieces.append((self._bytes, at, self.size_bytes))
        return _FormBody(pieces)

    async def read(self, start: int, size: int) -> bytes:
        """Some of it as it came, at most `size` bytes."""
        return await self._bytes.read(start, size)

    def close(self) -> None:
        """Forget it."""
        self._bytes.close()
        for _, _, value in self._edits:
            if isinstance(value, SpooledBytes):
                value.close()


class _FormBody:
    """The bytes of a form, with some put in the place of others."""

    def __init__(self, pieces: list[_Piece]) -> None:
        self._pieces = pieces
        self.length_bytes: int | None = sum(
            len(piece) if isinstance(piece, bytes) else piece[2] - piece[1] for piece in pieces
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
            source, start, end = piece
            if start >= end:
                self._pieces.pop(0)
                continue
            data = await source.read(start, min(_CHUNK_BYTES, end - start))
            self._pieces[0] = (source, start + len(data), end)
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
