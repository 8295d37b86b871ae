"""A multipart form: its text fields and its files."""

from __future__ import annotations

import re

import msgspec

from headgate.simulator.wire.api_error import ApiError, missing_parameter
from headgate.simulator.wire.request import Request

_BOUNDARY = re.compile(r'multipart/form-data;\s*boundary="?([^";]+)"?', re.IGNORECASE)
_NAME = re.compile(rb'name="([^"]*)"')
_FILENAME = re.compile(rb'filename="((?:[^"\\]|\\.)*)"')


class FormFile(msgspec.Struct, frozen=True):
    """A file of a form."""

    field: str
    name: str
    content: bytes


class Form(msgspec.Struct, frozen=True):
    """What a form holds."""

    fields: dict[str, list[str]]
    files: tuple[FormFile, ...]

    def text(self, name: str) -> str | None:
        """The last value of a text field, or None."""
        values = self.fields.get(name)
        return values[-1] if values else None

    def required_text(self, name: str) -> str:
        """The value of a text field; `ApiError` 400 where there is none."""
        value = self.text(name)
        if value is None:
            raise missing_parameter(name)
        return value

    def required_file(self, name: str) -> FormFile:
        """The file of a field; `ApiError` 400 where there is none."""
        for file in self.files:
            if file.field in (name, f"{name}[]"):
                return file
        raise missing_parameter(name)


def is_form(request: Request) -> bool:
    """Whether the request's body is a multipart form."""
    return request.headers.get("content-type", "").lower().startswith("multipart/form-data")


def read_form(request: Request) -> Form:
    """The form that `request` holds; `ApiError` 400 where it holds none."""
    found = _BOUNDARY.match(request.headers.get("content-type", ""))
    if found is None:
        raise ApiError(400, "Could not parse multipart form: the boundary is missing.")
    mark = b"\r\n--" + found[1].encode()
    parts = (b"\r\n" + request.body).split(mark)
    if len(parts) < 2 or not parts[-1].startswith(b"--"):
        raise ApiError(400, "Could not parse multipart form: it has no end.")
    fields: dict[str, list[str]] = {}
    files: list[FormFile] = []
    for part in parts[1:-1]:
        head, _, content = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        name = _NAME.search(head)
        if name is None:
            raise ApiError(400, "Could not parse multipart form: a part has no name.")
        field = name[1].decode("utf-8", "replace")
        filename = _FILENAME.search(head)
        if filename is None:
            fields.setdefault(field, []).append(content.decode("utf-8", "replace"))
        else:
            files.append(FormFile(field, filename[1].decode("utf-8", "replace"), content))
    return Form(fields, tuple(files))
