"""What the gateway's stores need besides a database."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from headgate.storage.threads import StorageThreads


@pytest.fixture
def threads() -> Iterator[StorageThreads]:
    """The threads in which stores wait for the database."""
    threads = StorageThreads("test")
    yield threads
    threads.close()
