"""Follows a multipart form as its bytes go by: which text fields it has, and where they stand.

Pure. It is stricter than RFC 7578: what two readers might understand in two ways is refused, so
that a form can't name one model here and another to the provider.
"""

from __future__ import annotations

import re

import msgspec

from headgate.errors import InvalidRequestError

MAX_TEXT_BYTES = 1024 * 1024
"""Most that the text fields of a form may have in all."""

_MAX_PART_HEAD_BYTES = 8 * 1024
_MAX_PARTS = 1_000

_BOUNDARY = re.compile(
    rb"""multipart/form-data\s*;\s*boundary="""
    rb"""(?:"([\w'()+,./:=? -]{0,69}[\w'()+,./:=?-])"|([\w'+.-]{1,70}))""",
    re.IGNORECASE | re.ASCII,
)
_DISPOSITION = re.compile(
    rb"""form-data;[ ]*name="(?P<name>[^"\\\r\n]{1,256})\""""
    rb"""(?:;[ ]*filename="(?P<file>(?:[^"\\\r\n]|\\.)*)")?"""
    rb"""(?:;[ ]*filename\*=(?P<encoded>[^;\s"]+))?""",
    re.IGNORECASE,
)
_NAMES = b"content-disposition:"
_PLAIN_ENCODINGS = (b"binary", b"8bit", b"7bit")


class FormField(msgspec.Struct, frozen=True):
    """A text field."""

    name: str
    value: bytes
    start: int
    """Where in the body its value begins."""


class FormFile(msgspec.Struct, kw_only=True):
    """A file; what it holds is not kept."""

    name: str
    """Of the form's field."""
    filename: bytes
    filename_start: int
    """Where in the body its name begins, between the quotes; 0 where it has none there."""
    encoded_filename: bytes | None
    """Its name once more as RFC 8187 has it, where the form gives that."""
    start: int
    """Where in the body its content begins."""
    end: int = 0


def boundary_of(content_type: bytes) -> bytes | None:
    """The boundary that the header `content-type` tells; None where it is no form."""
    found = _BOUNDARY.fullmatch(content_type.strip())
    return None if found is None else found[1] or found[2]


class FormReader:
    """One form. Raises `InvalidRequestError` from `feed` where it is not well formed."""

    def __init__(self, boundary: bytes) -> None:
        self.fields: list[FormField] = []
        """The text fields that have ended."""
        self.files: list[FormFile] = []
        """The files, the last of them perhaps still on its way."""
        self.said_beside: list[bytes] = []
        """What parts' heads say beside names: their types, and whatever else."""
        self.complete = False
        self._delimiter = b"\r\n--" + boundary
        # The first boundary has no line end before it; with one put there all are alike.
        self._rest = b"\r\n"
        self._at = -2
        self._name: str | None = None
        """Of the text field that is being read."""
        self._value: list[bytes] = []
        self._value_start = 0
        self._text_bytes = 0
        self._parts = 0
        self._reads_head = False
        self._begun = False

    def feed(self, data: bytes) -> None:
        """Take in the next bytes of the body."""
        self._rest += data
        while self._step():
            pass

    def end(self) -> None:
        """Say that the body has ended."""
        if not self.complete:
            raise _malformed("it ends before its last boundary")

    def texts(self) -> dict[str, list[str]]:
        """The text fields' values by name, in their order."""
        found: dict[str, list[str]] = {}
        for field in self.fields:
            try:
                found.setdefault(field.name, []).append(field.value.decode())
            except UnicodeDecodeError:
                raise InvalidRequestError(
                    f"The field `{field.name}` of the form is not UTF-8 text.", param=field.name
                ) from None
        return found

    def _step(self) -> bool:
        """Read one thing more; whether there may be another."""
        if self.complete:
            if self._rest.strip():
                raise _malformed("there is something behind its last boundary")
            self._take(len(self._rest))
            return False
        return self._head() if self._reads_head else self._body()

    def _body(self) -> bool:
        found = self._rest.find(self._delimiter)
        ends_at = found + len(self._delimiter)
        if found < 0 or len(self._rest) < ends_at + 2:
            settled = found if found >= 0 else max(0, len(self._rest) - len(self._delimiter) + 1)
            self._keep(self._take(settled))
            return False
        self._keep(self._take(found))
        if self._name is not None:
            value = b"".join(self._value)
            self.fields.append(FormField(self._name, value, self._value_start))
            self._name = None
        elif self._begun:
            self.files[-1].end = self._at
        self._begun = True
        after = self._take(len(self._delimiter) + 2)[-2:]
        if after == b"--":
            self.complete = True
        elif after == b"\r\n":
            self._reads_head = True
        else:
            raise _malformed("a boundary is not followed by a line end")
        return True

    def _keep(self, data: bytes) -> None:
        if not data:
            return
        if not self._begun:
            raise _malformed("it does not begin with its boundary")
        if self._name is not None:
            self._text_bytes += len(data)
            if self._text_bytes > MAX_TEXT_BYTES:
                raise _malformed(f"its text fields have more than {MAX_TEXT_BYTES} bytes")
            self._value.append(data)

    def _head(self) -> bool:
        end = self._rest.find(b"\r\n\r\n")
        if end < 0:
            if len(self._rest) > _MAX_PART_HEAD_BYTES:
                raise _malformed("a part's head is too long")
            return False
        start = self._at
        lines = self._take(end + 4)[:-4].split(b"\r\n")
        self.said_beside += [line for line in lines if not line.lower().startswith(_NAMES)]
        head = _read_head(lines)
        self._parts += 1
        if self._parts > _MAX_PARTS:
            raise _malformed(f"it has more than {_MAX_PARTS} parts")
        if isinstance(head, FormFile):
            head.filename_start = head.filename_start and start + head.filename_start
            head.start = self._at
            self.files.append(head)
            self._name = None
        else:
            self._name = head
        self._value = []
        self._value_start = self._at
        self._reads_head = False
        return True

    def _take(self, size: int) -> bytes:
        taken, self._rest = self._rest[:size], self._rest[size:]
        self._at += size
        return taken


def _read_head(lines: list[bytes]) -> str | FormFile:
    """A text field's name, or a file, whose places count from the head's beginning."""
    told: str | FormFile | None = None
    at = 0
    for line in lines:
        field, colon, value = line.partition(b":")
        field, value = field.lower(), value.strip()
        if not colon or field != field.strip():
            raise _malformed("a part's head has a line that is no header")
        if field == b"content-disposition":
            found = _DISPOSITION.fullmatch(value)
            if found is None or told is not None:
                raise _malformed(
                    'a part is not named as `Content-Disposition: form-data; name="…"`'
                )
            told = _named(found, at + line.index(value))
        elif field == b"content-transfer-encoding" and value.lower() not in _PLAIN_ENCODINGS:
            raise _malformed("a part has a transfer encoding")
        at += len(line) + 2
    if told is None:
        raise _malformed("a part has no name")
    return told


def _named(found: re.Match[bytes], at: int) -> str | FormFile:
    """What a header names that stands `at` so many bytes from the head's beginning."""
    try:
        name = found["name"].decode()
    except UnicodeDecodeError:
        raise _malformed("a part's name is not UTF-8") from None
    if found["file"] is None and found["encoded"] is None:
        return name
    return FormFile(
        name=name,
        filename=found["file"] or b"",
        filename_start=at + found.start("file") if found["file"] else 0,
        encoded_filename=found["encoded"],
        start=0,
    )


def _malformed(what: str) -> InvalidRequestError:
    return InvalidRequestError(
        f"The multipart form is not one that Headgate reads: {what}.", code="invalid_form"
    )
