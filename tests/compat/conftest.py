"""The official Python SDK in front of the running servers that these tests use."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
from openai import AsyncOpenAI, OpenAI

from servers import (
    ADMIN_KEY,
    RunningServer,
    gateway,
    model,
    server_with,
    shared_with,
    simulated,
    upstream,
)

__all__ = ["gateway", "model", "server_with", "shared_with", "simulated", "upstream"]


@pytest.fixture
def client(simulated: RunningServer) -> Iterator[OpenAI]:
    """An application of five lines, whose `base_url` is a gateway with nothing configured."""
    with OpenAI(base_url=simulated.base_url, api_key=ADMIN_KEY, max_retries=0) as made:
        yield made


@pytest.fixture(scope="session")
def others(simulated: RunningServer) -> Iterator[OpenAI]:
    """An application of another project on the same gateway."""
    simulated.post("/api/projects", {"name": "others"})
    key = simulated.new_key(project="others")
    with OpenAI(base_url=simulated.base_url, api_key=key, max_retries=0) as made:
        yield made


@pytest.fixture
async def async_client(simulated: RunningServer) -> AsyncIterator[AsyncOpenAI]:
    """The same, asynchronous."""
    async with AsyncOpenAI(base_url=simulated.base_url, api_key=ADMIN_KEY, max_retries=0) as made:
        yield made


@pytest.fixture
def scripted(gateway: RunningServer) -> Iterator[OpenAI]:
    """An application whose gateway stands before the scripted provider."""
    with OpenAI(base_url=gateway.base_url, api_key=ADMIN_KEY, max_retries=0) as made:
        yield made


@pytest.fixture
async def async_scripted(gateway: RunningServer) -> AsyncIterator[AsyncOpenAI]:
    """The same, asynchronous."""
    async with AsyncOpenAI(base_url=gateway.base_url, api_key=ADMIN_KEY, max_retries=0) as made:
        yield made
