"""The database that a command works on, found the way the server finds it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import click
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from headgate.cli.output import note
from headgate.config.environment import database_url, project_folder
from headgate.config.load import load_settings
from headgate.errors import NotFoundError
from headgate.intake.access.keys import KeyStore
from headgate.intake.access.projects import DEFAULT_PROJECT, ProjectStore
from headgate.intake.access.secret import load_secret
from headgate.storage import Database, migrate

folder_option = click.option(
    "--dir",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="The project's folder; by default HEADGATE_PROJECT, or this one.",
)


class Opened(NamedTuple):
    """A database and the stores of access upon it."""

    database: Database
    keys: KeyStore
    projects: ProjectStore


@contextmanager
def open_database(folder: Path | None, *, create: bool = False) -> Iterator[Opened]:
    """The migrated database of the project in `folder`; closed at the end.

    A SQLite file that isn't there is made if `create`, else it is a `NotFoundError`: a command
    run in the wrong folder should say so, not answer from a new, empty database.
    """
    named = project_folder(folder)
    url = database_url(named, load_settings(named))
    missing = sqlite_file(url)
    if missing is not None and not missing.exists():
        if not create:
            raise NotFoundError(
                f"There is no database at {missing}; name the project's folder with --dir, or set"
                " HEADGATE_PROJECT or HEADGATE_DATABASE_URL."
            )
        note(f"Making a new database at {missing}")
    database = Database(url)
    try:
        migrate(database)
        secret = load_secret(database, os.environ.get("HEADGATE_SECRET_KEY"))
        projects = ProjectStore(database)
        projects.ensure({DEFAULT_PROJECT: ""})
        yield Opened(database, KeyStore(database, secret), projects)
    finally:
        database.close()


def sqlite_file(url: str) -> Path | None:
    """The SQLite file that `url` names, if it does; to be asked before opening makes it."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        return None
    if parsed.get_backend_name() != "sqlite" or not parsed.database:
        return None
    return Path(parsed.database)
