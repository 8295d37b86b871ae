"""Finds runs for people: filtered, newest first, a page at a time, quick on millions of them.

Each filter has an index that ends in the run's id, which begins with its time, so a page is read
from where the last one ended and nothing is sorted or skipped.
"""

from __future__ import annotations

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from headgate.storage.identifiers import first_id
from headgate.storage.schema import runs
from headgate.workflows.run import Run, RunStatus
from headgate.workflows.run_rows import run_of

_VERSIONS_AT_MOST = 50


class RunFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which runs; None lets all by."""

    project: str | None = None
    workflow: str | None = None
    version: str | None = None
    status: RunStatus | None = None
    feature: str | None = None
    since_us: int | None = None
    until_us: int | None = None


class SeenVersion(msgspec.Struct, frozen=True, kw_only=True):
    """A version of a workflow that has run here. Times are microseconds since 1970 UTC."""

    version: str
    digest: str
    """Of its latest run."""
    first_at_us: int
    last_at_us: int


def search_runs(
    connection: Connection, wanted: RunFilter, *, limit: int, before: str | None = None
) -> list[Run]:
    """At most `limit` runs without contents, newest first, those older than the id `before`."""
    statement = sa.select(runs).order_by(runs.c.id.desc()).limit(limit)
    if before is not None:
        statement = statement.where(runs.c.id < before)
    if wanted.since_us is not None:
        statement = statement.where(runs.c.id >= first_id("run", wanted.since_us))
    if wanted.until_us is not None:
        statement = statement.where(runs.c.id < first_id("run", wanted.until_us))
    for name in ("project", "workflow", "version", "status", "feature"):
        if (value := getattr(wanted, name)) is not None:
            statement = statement.where(runs.c[name] == value)
    if wanted.status is not None and wanted.status != "completed":
        # As the index over these says it: so the database knows that it may use it.
        statement = statement.where(sa.text("status <> 'completed'"))
    return [run_of(row) for row in connection.execute(statement).mappings()]


def seen_versions(connection: Connection, workflow: str, project: str | None) -> list[SeenVersion]:
    """The versions of `workflow` that have run, the latest first; at most 50.

    Each is found by one step in an index, however many runs it has. With `project`, only versions
    that ran there.
    """
    found: list[SeenVersion] = []
    version = ""
    mine = [runs.c.workflow == workflow]
    for _ in range(_VERSIONS_AT_MOST):
        following = connection.execute(
            sa.select(sa.func.min(runs.c.version)).where(*mine, runs.c.version > version)
        ).scalar()
        if following is None:
            break
        version = following
        its = [*mine, runs.c.version == version]
        if project is not None:
            its.append(runs.c.project == project)
        columns = sa.select(runs.c.digest, runs.c.created_at_us).where(*its)
        last = connection.execute(columns.order_by(runs.c.id.desc()).limit(1)).one_or_none()
        first = connection.execute(columns.order_by(runs.c.id).limit(1)).one_or_none()
        if last is not None and first is not None:
            found.append(
                SeenVersion(
                    version=version,
                    digest=last.digest,
                    first_at_us=first.created_at_us,
                    last_at_us=last.created_at_us,
                )
            )
    return sorted(found, key=lambda seen: -seen.last_at_us)
