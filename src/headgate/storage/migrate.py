"""Brings a database's schema to this version's, once, whichever process comes first."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from headgate.errors import ConfigError
from headgate.storage.database import Database
from headgate.storage.schema import metadata

HEAD = "0017"
"""The newest migration; a test holds it to the files in `migrations/versions/`."""

_LOCK = 0x4865616467617465
"""PostgreSQL advisory lock: two servers that start together migrate one after the other."""


def migrate(database: Database, *, step_by_step: bool = False) -> None:
    """Bring `database` to this version: make every table, or apply the migrations it lacks.

    `step_by_step` has an empty database go through every migration too, as tests do.
    Raises `ConfigError` where the database was written by a newer version of Headgate.
    """
    with database.connect() as connection:
        if revision(connection) == HEAD:
            return
    with database.begin() as connection:
        if not database.is_sqlite:
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        # Alembic takes a third of a second and 9 MB to import, so only an upgrade does; a test
        # holds what is made here to be what the migrations make.
        if revision(connection) is None and not step_by_step:
            _create(connection)
        else:
            _upgrade(connection)


def revision(connection: Connection) -> str | None:
    """The newest migration that a database has had; None where it has no tables of ours."""
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()


def _create(connection: Connection) -> None:
    metadata.create_all(connection, checkfirst=False)
    connection.execute(
        sa.text(
            "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL,"
            " CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))"
        )
    )
    connection.execute(
        sa.text("INSERT INTO alembic_version (version_num) VALUES (:head)"), {"head": HEAD}
    )


def _upgrade(connection: Connection) -> None:
    from alembic import command  # noqa: PLC0415 - see migrate()
    from alembic.config import Config  # noqa: PLC0415
    from alembic.util.exc import CommandError  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise ConfigError(
            f"the database was written by a newer Headgate ({error}); upgrade Headgate"
        ) from error
