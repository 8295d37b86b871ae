"""A multipart form as guards see it: its text fields, and the names of its files."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote_to_bytes

from headgate.checks.guards.guarding import Guarding
from headgate.checks.parts import Kind, Part
from headgate.gateway.forms import SpooledForm


def form_fields(form: SpooledForm) -> dict[str, Any]:
    """A form's text fields: a text, or a list of them where there are several of one name."""
    return {
        name: values if len(values) > 1 or name.endswith("[]") else values[0]
        for name, values in form.reader.texts().items()
    }


async def guard_form(
    guarding: Guarding, form: SpooledForm, fields: dict[str, Any], unread: Kind | None
) -> None:
    """Have guards see a form's texts and rewrite in it what must not leave.

    `unread` is what its files are, where nobody reads them. Raises as `Guarding.request` does.
    """
    names, files = file_parts(form, unread)
    changes = await guarding.request(fields, files)
    # Nobody waits for an answer beside which they could still look.
    await guarding.requests_verdicts()
    for changed in changes:
        if changed in fields:
            value = fields[changed]
            values = value if isinstance(value, list) else [value]
            form.replace(changed, [str(one).encode() for one in values])
    rename(form, names)


def file_parts(form: SpooledForm, unread: Kind | None) -> tuple[list[Part], list[Part]]:
    """The names of a form's files, in its order, and all parts that its files have."""
    names: list[Part] = []
    more: list[Part] = []
    for file in form.reader.files:
        name = {"filename": _decoded(file.filename)}
        names.append(Part(name, "filename", path="filename", role="label"))
        more.append(_seen_only(file.name))
        if file.encoded_filename is not None:
            more.append(_seen_only(_decoded(unquote_to_bytes(file.encoded_filename))))
        if unread is not None:
            more.append(Part({"file": ""}, "file", path="file", role="user", kind=unread))
    beside = (one for one in form.reader.said_beside if not _HEADER.fullmatch(one))
    return names, [*names, *more, *(_seen_only(_decoded(one)) for one in beside)]


def _seen_only(text: str) -> Part:
    """What a form's head says that can't be rewritten."""
    return Part({text: ""}, text, path="form", role="label", kind="name")


_HEADER = re.compile(
    rb"""content-type: ?[a-z]{1,32}/[a-z0-9.+-]{1,80}(; ?charset="?[a-z0-9-]{1,32}"?)?"""
    rb"""|content-length: ?[0-9]{1,12}|content-transfer-encoding: ?[a-z0-9]{1,8}""",
    re.IGNORECASE,
)
"""A header as applications write it by themselves: a type, a length."""


def rename(form: SpooledForm, names: list[Part]) -> None:
    """Call the files of `form` as their `names` say now."""
    for file, part in zip(form.reader.files, names, strict=True):
        if part.changed and file.filename_start:
            form.rename(file, _quoted(part.text + _extension(file.filename, part.text)))


def _extension(filename: bytes, told: str) -> str:
    """What tells of a file's form that was hidden along with its name."""
    extension = filename.rpartition(b".")[2].lower().decode("ascii", "replace")
    lost = extension in _EXTENSIONS and not told.lower().endswith(f".{extension}")
    return f".{extension}" if lost else ""


_EXTENSIONS = frozenset(
    {
        "jsonl", "json", "csv", "txt", "md", "pdf", "docx", "xlsx", "pptx", "html", "zip", "png",
        "jpg", "jpeg", "webp", "gif", "flac", "mp3", "mp4", "mpeg", "mpga", "m4a", "ogg", "wav",
        "webm",
    }
)  # fmt: skip
"""By which providers tell what a file is; none can be the end of somebody's address."""


def _quoted(text: str) -> bytes:
    """A text as it may stand between quotes in a form's head."""
    for letter, written in (("\\", "_"), ('"', "%22"), ("\r", "%0D"), ("\n", "%0A")):
        text = text.replace(letter, written)
    return text.encode()


def _decoded(data: bytes) -> str:
    return data.decode("utf-8", "replace")
