"""Tells Alembic which connection to migrate; `storage.migrate` hands it in."""

from __future__ import annotations

from alembic import context

from headgate.storage.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=False,
)
context.run_migrations()
