"""What guards did to lines is kept encrypted, for its project alone, on both kinds of database."""

from __future__ import annotations

import os
import time

import pytest
import sqlalchemy as sa

from headgate.checks.redaction.mapping import Issued
from headgate.checks.redaction.sealing import Seal
from headgate.gateway.guarded_files import line_notes
from headgate.gateway.guarded_files.line_notes import FileNote, LineNote, LineNotes
from headgate.storage import Database
from headgate.storage.redaction_tables import redaction_mappings
from headgate.storage.threads import StorageThreads

KEY = os.urandom(32)
VALUE = "anne.canary@example.com"


@pytest.fixture
def notes(database: Database, threads: StorageThreads) -> LineNotes:
    return LineNotes(database, threads, Seal(KEY))


def note(number: int) -> LineNote:
    return LineNote(model="m", issued=[Issued("EMAIL", 1, f"{number}{VALUE}")], canaries=["c"])


async def test_lines_are_found_by_their_custom_id_and_by_nobody_else(
    database: Database, threads: StorageThreads, notes: LineNotes
):
    kept = [(f"r{number}", note(number)) for number in range(500)]
    await notes.keep_lines("north", "token", kept)
    again = LineNotes(database, threads, Seal(KEY))
    wanted = ["r7", "r499", "r500"]
    assert await again.lines("north", "token", wanted) == {"r7": note(7), "r499": note(499)}
    assert await again.lines("south", "token", wanted) == {}
    assert await again.lines("north", "other", wanted) == {}
    assert await again.lines("north", "token", []) == {}
    assert await LineNotes(database, threads, Seal(os.urandom(32))).lines(
        "north", "token", wanted
    ) == {}  # fmt: skip
    with database.connect() as connection:
        rows = connection.execute(sa.select(redaction_mappings)).all()
    assert len(rows) == 500
    assert VALUE.encode() not in b"".join(row.sealed for row in rows)
    assert VALUE not in repr(note(1))


async def test_a_file_leads_to_its_lines_until_it_is_gone(
    database: Database, threads: StorageThreads, notes: LineNotes
):
    told = FileNote(token="t", key_id="k", trust="untrusted", models={"b": "1", "a": "2"})
    await notes.keep_files("north", {"file-1": told, "file-2": told})
    again = LineNotes(database, threads, Seal(KEY))
    assert await again.file("north", "file-1") == told
    assert told.first_model == "b"
    assert await again.file("south", "file-1") is None
    await notes.forget_file("north", "file-1")
    assert await notes.file("north", "file-1") is None
    assert await notes.file("north", "file-2") == told


async def test_notes_go_when_their_time_is_up(
    database: Database, notes: LineNotes, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(line_notes, "KEPT_S", -1)
    await notes.keep_lines("north", "t", [("r1", note(1))])
    assert await notes.lines("north", "t", ["r1"]) == {}
    monkeypatch.setattr(line_notes, "KEPT_S", 60)
    await notes.keep_lines("north", "t", [("r2", note(2))])
    with database.connect() as connection:
        ends = connection.execute(sa.select(redaction_mappings.c.expires_at_us)).scalars().all()
    assert len(ends) == 1
    assert ends[0] > time.time_ns() // 1000
