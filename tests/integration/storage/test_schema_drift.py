"""A database made at once and one made by the migrations are the same, and what the code declares.

A fresh database is made from the schema; only an older one is migrated.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy.engine import Connection

from headgate.storage import Database
from headgate.storage.migrate import _upgrade
from headgate.storage.schema import metadata


@pytest.fixture
def migrated_from_nothing(empty_database_url: str) -> Iterator[Database]:
    database = Database(empty_database_url)
    with database.begin() as connection:
        _upgrade(connection)
    yield database
    database.close()


@contextmanager
def made_at_once(like: Database) -> Iterator[Connection]:
    """A connection that sees the tables of the schema alone, taken back at the end."""
    with like.connect() as connection:
        if not like.is_sqlite:
            connection.exec_driver_sql("CREATE SCHEMA at_once")
            connection.exec_driver_sql("SET LOCAL search_path TO at_once")
            metadata.create_all(connection, checkfirst=False)
            yield connection
            connection.rollback()
            return
    engine = sa.create_engine("sqlite://")
    with engine.connect() as connection:
        metadata.create_all(connection)
        yield connection
    engine.dispose()


def described(connection: Connection) -> dict[str, object]:
    """All that a database knows of its tables, but for comments."""
    inspector = sa.inspect(connection)
    schema = inspector.default_schema_name
    if connection.dialect.name == "postgresql":
        schema = connection.exec_driver_sql("SELECT current_schema()").scalar()
    return {
        name: {
            "columns": [
                (column["name"], str(column["type"]), column["nullable"], column["default"])
                for column in inspector.get_columns(name, schema)
            ],
            "primary key": inspector.get_pk_constraint(name, schema)["constrained_columns"],
            "foreign keys": sorted(
                (key["constrained_columns"], key["referred_table"], key["referred_columns"])
                for key in inspector.get_foreign_keys(name, schema)
            ),
            "unique": sorted(
                constraint["column_names"]
                for constraint in inspector.get_unique_constraints(name, schema)
            ),
            "indexes": {
                index["name"]: (
                    index["column_names"],
                    index["unique"],
                    str(index.get("dialect_options", {}).get(f"{connection.dialect.name}_where")),
                )
                for index in inspector.get_indexes(name, schema)
            },
        }
        for name in inspector.get_table_names(schema)
        if name != "alembic_version"
    }


def test_migrations_make_what_is_made_at_once(migrated_from_nothing: Database):
    with migrated_from_nothing.connect() as connection:
        migrated = described(connection)
    with made_at_once(migrated_from_nothing) as connection:
        fresh = described(connection)
    assert migrated == fresh
    assert set(fresh) == set(metadata.tables)


def test_alembic_finds_nothing_left_to_migrate(migrated_from_nothing: Database):
    with migrated_from_nothing.connect() as connection:
        options = {
            "compare_type": True,
            # Alembic takes SQLite's '' for a default other than the empty text.
            "compare_server_default": not migrated_from_nothing.is_sqlite,
        }
        context = MigrationContext.configure(connection, opts=options)
        found = compare_metadata(context, metadata)
    flat = [change for entry in found for change in (entry if isinstance(entry, list) else [entry])]
    # What a table or column is for is told in the schema, not in the database.
    assert [c for c in flat if c[0] not in {"modify_comment", "add_table_comment"}] == []


def test_calls_are_stored_by_their_identifier_alone(sqlite_url: str):
    database = Database(sqlite_url)
    with database.connect() as connection:
        made = connection.exec_driver_sql("SELECT sql FROM sqlite_master WHERE name = 'calls'")
        assert "WITHOUT ROWID" in (made.scalar() or "")
    database.close()
