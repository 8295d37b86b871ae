"""The projects: made, listed and archived. An archived project's keys open nothing."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from headgate.errors import ConflictError, InvalidRequestError, NotFoundError
from headgate.intake.access import revision
from headgate.storage import Database
from headgate.storage.schema import projects

DEFAULT_PROJECT = "default"
"""Exists from the first start; the first administrator's key belongs to it."""

MAX_DESCRIPTION_CHARACTERS = 1000

_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,62}")


class Project(msgspec.Struct, frozen=True, kw_only=True):
    """A team's boundary. Times are microseconds since 1970 UTC."""

    name: str
    description: str
    created_at_us: int
    archived_at_us: int | None = None


def wall_clock_us() -> int:
    """Now, in microseconds since 1970 UTC."""
    return time.time_ns() // 1000


class ProjectStore:
    """The projects of one database. Every method blocks: call it in a thread."""

    def __init__(self, database: Database, *, clock_us: Callable[[], int] = wall_clock_us) -> None:
        self._database = database
        self._clock_us = clock_us

    def ensure(self, wanted: Mapping[str, str]) -> None:
        """Make each project of `wanted`, a map of names to descriptions, that is not there yet.

        An empty description leaves what stands there; an archived project stays archived.
        """
        with self._database.begin() as connection:
            known = {project.name: project for project in _select(connection)}
            for name, description in wanted.items():
                there = known.get(name)
                if there is None:
                    _check(name, description)
                    _insert(connection, name, description, self._clock_us())
                elif description and description != there.description:
                    _check(name, description)
                    connection.execute(
                        projects.update()
                        .where(projects.c.name == name)
                        .values(description=description)
                    )

    def create(self, name: str, description: str = "") -> Project:
        """A new project; `InvalidRequestError` for a bad name, `ConflictError` for a known one."""
        _check(name, description)
        with self._database.begin() as connection:
            if not _insert(connection, name, description, self._clock_us()):
                raise ConflictError(
                    f"Project `{name}` exists already, or did and is archived; choose another"
                    " name.",
                    param="name",
                )
            return _get(connection, name)

    def get(self, name: str) -> Project:
        """The project; `NotFoundError` where there is none."""
        with self._database.connect() as connection:
            return _get(connection, name)

    def check_live(self, name: str) -> None:
        """`InvalidRequestError` unless the project is there and not archived."""
        with self._database.connect() as connection:
            check_live(connection, name)

    def list(self, *, limit: int = 100, after: str = "", only: str | None = None) -> list[Project]:
        """At most `limit` projects by name, from beyond `after`; `only` that one if it is given."""
        statement = projects.select().where(projects.c.name > after).limit(limit)
        if only is not None:
            statement = statement.where(projects.c.name == only)
        with self._database.connect() as connection:
            return _select(connection, statement)

    def archive(self, name: str) -> Project:
        """Close the project: its keys open nothing within seconds, its records stay.

        Raises `NotFoundError`, and `ConflictError` for the default project.
        """
        if name == DEFAULT_PROJECT:
            raise ConflictError(
                "The default project holds the administrator's key and cannot be archived."
            )
        with self._database.begin() as connection:
            revision.bump(connection)
            _get(connection, name)
            connection.execute(
                projects.update()
                .where(projects.c.name == name, projects.c.archived_at_us.is_(None))
                .values(archived_at_us=self._clock_us())
            )
            return _get(connection, name)


def check_known(connection: Connection, name: str) -> None:
    """`InvalidRequestError` unless there is, or was, such a project."""
    row = None
    if _NAME.fullmatch(name):
        found = sa.select(projects.c.name).where(projects.c.name == name)
        row = connection.execute(found).one_or_none()
    if row is None:
        raise InvalidRequestError(
            f"There is no project `{name}`; `headgate projects list` names those that exist.",
            param="project",
            code="project_not_found",
        )


def check_live(connection: Connection, name: str) -> None:
    """`InvalidRequestError` unless the project is there and not archived."""
    row = None
    if _NAME.fullmatch(name):
        row = connection.execute(projects.select().where(projects.c.name == name)).one_or_none()
    if row is None:
        raise InvalidRequestError(
            f"There is no project `{name}`; create it with `headgate projects create {name}` or"
            " POST /api/projects.",
            param="project",
            code="project_not_found",
        )
    if row.archived_at_us is not None:
        raise InvalidRequestError(
            f"Project `{name}` is archived; use another.", param="project", code="project_archived"
        )


def _check(name: str, description: str) -> None:
    if not _NAME.fullmatch(name):
        raise InvalidRequestError(
            "`name`: write 1 to 63 lower-case letters, digits, `-`, `_` and `.`, beginning with a"
            " letter or digit.",
            param="name",
        )
    if len(description) > MAX_DESCRIPTION_CHARACTERS or "\0" in description:
        raise InvalidRequestError(
            f"`description`: write at most {MAX_DESCRIPTION_CHARACTERS} characters.",
            param="description",
        )


def _insert(connection: Connection, name: str, description: str, now_us: int) -> bool:
    result = connection.execute(
        sa.text(
            "INSERT INTO projects (name, description, created_at_us)"
            " VALUES (:name, :description, :now_us) ON CONFLICT (name) DO NOTHING"
        ),
        {"name": name, "description": description, "now_us": now_us},
    )
    return result.rowcount == 1


def _get(connection: Connection, name: str) -> Project:
    found = _select(connection, projects.select().where(projects.c.name == name))
    if not found:
        raise NotFoundError(f"There is no project `{name}` here.", param="name")
    return found[0]


def _select(connection: Connection, statement: sa.Select[Any] | None = None) -> list[Project]:
    chosen = projects.select() if statement is None else statement
    return [_project(row) for row in connection.execute(chosen.order_by(projects.c.name))]


def _project(row: Row[Any]) -> Project:
    return Project(
        name=row.name,
        description=row.description,
        created_at_us=row.created_at_us,
        archived_at_us=row.archived_at_us,
    )
