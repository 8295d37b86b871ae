"""Servers of the administrative API, on each kind of database or on SQLite alone."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio
from admin_server import AdminServer

from headgate.storage import Database


@pytest_asyncio.fixture
async def server(database: Database) -> AsyncIterator[AdminServer]:
    """A started server, once on each kind of database."""
    server = AdminServer(database)
    await server.start()
    yield server
    await server.stop()


@pytest_asyncio.fixture
async def sqlite_server(sqlite_url: str) -> AsyncIterator[AdminServer]:
    """A started server on SQLite, for what no database has a part in."""
    database = Database(sqlite_url)
    server = AdminServer(database)
    await server.start()
    yield server
    await server.stop()
    database.close()
