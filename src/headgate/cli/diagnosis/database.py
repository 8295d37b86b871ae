"""Whether the database can be used, and was written by this version; nothing in it is changed."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from headgate.cli.database import sqlite_file
from headgate.cli.diagnosis.finding import Finding
from headgate.errors import HeadgateError
from headgate.storage import Database
from headgate.storage.migrate import HEAD, revision

_OF = "database"
_CLOCKS_APART_S = 2.0
"""Leases and deadlines are told by the clocks of all machines on one database."""


def look_at_database(url: str) -> Iterator[Finding]:
    """What is found of the database at `url`; a SQLite file that isn't there is not made."""
    try:
        file = sqlite_file(url)
        if file is not None and not file.exists():
            yield _to_be_made(file)
            return
        database = Database(url)
    except HeadgateError as error:
        yield Finding(of=_OF, state="failed", says=error.message)
        return
    try:
        with database.connect() as connection:
            yield from _written(connection, "SQLite" if database.is_sqlite else "PostgreSQL")
            if not database.is_sqlite:
                yield from _clocks(connection)
        if file is not None and not os.access(file, os.W_OK):
            yield Finding(
                of=_OF,
                state="failed",
                says=f"{file} can't be written by this user",
                remedy="let the server's user own the file and its folder",
            )
    except HeadgateError as error:
        yield Finding(of=_OF, state="failed", says=error.message)
    finally:
        database.close()


def _to_be_made(file: Path) -> Finding:
    folder = file.parent
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    if folder.is_dir() and os.access(folder, os.W_OK):
        says = f"there is none at {file} yet; the server makes it when it starts"
        return Finding(of=_OF, state="ok", says=says)
    return Finding(
        of=_OF,
        state="failed",
        says=f"there is none at {file}, and none can be made in {folder}",
        remedy="name another with HEADGATE_DATABASE_URL, or let the server's user own the folder",
    )


def _written(connection: Connection, kind: str) -> Iterator[Finding]:
    """By which version, and whether that suits this one."""
    query = "SELECT sqlite_version()" if kind == "SQLite" else "SHOW server_version"
    version = str(connection.execute(sa.text(query)).scalar()).split()[0]
    found = revision(connection)
    if found is None:
        says = f"{kind} {version}, empty; the server makes its tables when it starts"
        yield Finding(of=_OF, state="ok", says=says)
    elif found == HEAD:
        yield Finding(of=_OF, state="ok", says=f"{kind} {version}, schema {found}")
    elif found < HEAD:
        yield Finding(
            of=_OF,
            state="warning",
            says=f"{kind} {version}, schema {found}; this version's is {HEAD}",
            remedy="back it up: the next start of a server changes it, and there is no way back",
        )
    else:
        yield Finding(
            of=_OF,
            state="failed",
            says=f"{kind} {version}, schema {found}, written by a newer Headgate",
            remedy=f"upgrade Headgate; this version knows schemas up to {HEAD}",
        )


def _clocks(connection: Connection) -> Iterator[Finding]:
    before_s = time.time()
    clock = sa.text("SELECT extract(epoch FROM clock_timestamp())")
    there_s = float(connection.execute(clock).scalar_one())
    apart_s = max(before_s - there_s, there_s - time.time(), 0.0)
    if apart_s > _CLOCKS_APART_S:
        yield Finding(
            of=_OF,
            state="warning",
            says=f"its clock is {apart_s:.0f} s away from this machine's",
            remedy="have both keep time by NTP: who holds a run or a lease is told by the clock",
        )
