"""The running servers that these tests use."""

from __future__ import annotations

import pytest

from servers import RunningServer, gateway, model, server_with, shared_with, simulated, upstream

__all__ = ["gateway", "model", "server_with", "shared_with", "simulated", "upstream"]


@pytest.fixture
def ours(simulated: RunningServer) -> str:
    """A key of a project on the shared server."""
    simulated.post("/api/projects", {"name": "ours"})
    return simulated.new_key(project="ours")


@pytest.fixture
def theirs(simulated: RunningServer) -> str:
    """A key of another."""
    simulated.post("/api/projects", {"name": "theirs"})
    return simulated.new_key(project="theirs")
