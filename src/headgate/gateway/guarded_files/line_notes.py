"""What guards have done to the lines of a file, kept encrypted until its batch's results are gone.

Each line that needs it has a row, found by the line's `custom_id`; each file has one that leads to
those of its lines. A batch's results are files too, and lead to the lines of its input.
"""

from __future__ import annotations

import hashlib
import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence

import msgspec
import sqlalchemy as sa

from headgate.checks.redaction.mapping import Issued
from headgate.checks.redaction.sealing import Seal
from headgate.config.workflow import Trust
from headgate.storage import Database
from headgate.storage.redaction_tables import redaction_mappings
from headgate.storage.threads import StorageThreads

KEPT_S = 62 * 86_400
"""OpenAI keeps a batch's input for 30 days; a batch that begins on the last of them takes one more,
and its results are kept for another 30."""

_REMEMBERED = 1_000
"""Files whose notes are held in memory; the one unused longest goes first."""


class FileNote(msgspec.Struct, frozen=True, kw_only=True):
    """Under which guards a file came, and what leads to its lines."""

    token: str = ""
    """Random; "" where no guard has seen the lines."""
    key_id: str = ""
    trust: Trust = "trusted"
    models: dict[str, str] = {}
    """By model that lines ask for, the version of the guards that have seen them."""

    @property
    def first_model(self) -> str:
        """The model of lines of which nothing else is noted."""
        return next(iter(self.models), "")


class LineNote(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the answer to one line must be looked at with; to a call that is kept, too."""

    model: str
    issued: list[Issued] = []
    canaries: list[str] = []
    withheld: list[str] = []
    structured: bool = False
    key_id: str = ""
    """Who asked, where no file's note says so."""
    trust: Trust = "trusted"
    workflow: str | None = None

    def __repr__(self) -> str:
        """How much it hides: reprs end up in logs."""
        return f"LineNote({len(self.issued)} values)"


_line = msgspec.msgpack.Decoder(LineNote)
_file = msgspec.msgpack.Decoder(FileNote)
_encode = msgspec.msgpack.encode


class LineNotes:
    """The table `redaction_mappings`, as far as it is about files."""

    def __init__(self, database: Database, threads: StorageThreads, seal: Seal) -> None:
        self._database = database
        self._threads = threads
        self._seal = seal
        self._files: OrderedDict[str, FileNote] = OrderedDict()

    async def keep_lines(
        self, project: str, token: str, notes: Sequence[tuple[str, LineNote]]
    ) -> None:
        """Keep notes by `custom_id`; no two of one token's may be equal.

        Raises `DatabaseUnavailableError`.
        """
        named = [(_name(project, token, custom_id), note) for custom_id, note in notes]
        rows = {name: self._seal.sealed_bytes(_encode(note), name) for name, note in named}
        await self._threads.begin(self._write, rows)

    async def lines(
        self, project: str, token: str, custom_ids: Sequence[str]
    ) -> dict[str, LineNote]:
        """Those that are kept, by `custom_id`. Raises `DatabaseUnavailableError`."""
        names = {_name(project, token, custom_id): custom_id for custom_id in custom_ids}
        if not names:
            return {}
        found: dict[str, LineNote] = {}
        for name, sealed in (await self._threads.begin(self._read, list(names))).items():
            plain = self._seal.opened_bytes(sealed, name)
            if plain is not None:
                found[names[name]] = _line.decode(plain)
        return found

    async def keep_files(self, project: str, notes: Mapping[str, FileNote]) -> None:
        """Keep notes by the file's id. Raises `DatabaseUnavailableError`."""
        named = {_name(project, "file", file_id): note for file_id, note in notes.items()}
        rows = {name: self._seal.sealed_bytes(_encode(note), name) for name, note in named.items()}
        await self._threads.begin(self._write, rows)
        for name, note in named.items():
            self._remember(name, note)

    async def file(self, project: str, file_id: str) -> FileNote | None:
        """What is noted of a file, if anything. Raises `DatabaseUnavailableError`."""
        name = _name(project, "file", file_id)
        known = self._files.get(name)
        if known is not None:
            return known
        sealed = (await self._threads.begin(self._read, [name])).get(name)
        plain = None if sealed is None else self._seal.opened_bytes(sealed, name)
        if plain is None:
            return None
        note = _file.decode(plain)
        self._remember(name, note)
        return note

    async def forget_file(self, project: str, file_id: str) -> None:
        """A file is gone; those of the same lines stay. Raises `DatabaseUnavailableError`."""
        name = _name(project, "file", file_id)
        self._files.pop(name, None)
        await self._threads.run(self._delete, name)

    def _remember(self, name: str, note: FileNote) -> None:
        self._files[name] = note
        self._files.move_to_end(name)
        if len(self._files) > _REMEMBERED:
            self._files.popitem(last=False)

    def _write(self, rows: dict[str, bytes]) -> None:
        table, now_us = redaction_mappings, time.time_ns() // 1000
        ends_us = now_us + KEPT_S * 1_000_000
        written = [
            {"id": name, "sealed": sealed, "expires_at_us": ends_us}
            for name, sealed in rows.items()
        ]
        with self._database.begin() as connection:
            connection.execute(
                sa.delete(table).where(
                    table.c.id.in_(list(rows)) | (table.c.expires_at_us <= now_us)
                )
            )
            connection.execute(sa.insert(table), written)

    def _read(self, names: list[str]) -> dict[str, bytes]:
        table = redaction_mappings
        query = sa.select(table.c.id, table.c.sealed).where(
            table.c.id.in_(names), table.c.expires_at_us > time.time_ns() // 1000
        )
        with self._database.connect() as connection:
            return {row.id: row.sealed for row in connection.execute(query)}

    def _delete(self, name: str) -> None:
        table = redaction_mappings
        with self._database.begin() as connection:
            connection.execute(sa.delete(table).where(table.c.id == name))


def _name(project: str, *what: str) -> str:
    # The lengths, so that no two lists of words are the same when joined.
    words = [f"{len(word)}:{word}" for word in ("lines", project, *what)]
    return hashlib.sha256("\n".join(words).encode("utf-8", "surrogatepass")).hexdigest()
