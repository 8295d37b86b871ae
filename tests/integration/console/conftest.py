"""One console for the tests of a file, and one of a test's own where it changes what all see."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import headgate.examples
from consoles import RunningConsole, running_console
from databases import PostgresDatabases, SqliteFiles, postgres_url

WORKFLOWS = Path(headgate.examples.__file__).parent / "project" / "workflows"


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def console(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[RunningConsole]:
    """A console on each kind of database, with the example workflows."""
    folder = tmp_path_factory.mktemp("console")
    if request.param == "sqlite":
        files: SqliteFiles = request.getfixturevalue("sqlite_files")
        with running_console(folder / "p", files.copy_to(folder), workflows=WORKFLOWS) as running:
            yield running
        return
    databases: PostgresDatabases = request.getfixturevalue("postgres_databases")
    name = databases.make(migrated=True)
    with running_console(folder / "p", postgres_url(name), workflows=WORKFLOWS) as running:
        yield running
    databases.take_back(name)
