"""A simulator on a real socket, and the official SDK pointed at it."""

from __future__ import annotations

from collections.abc import Iterator

import openai
import pytest

from headgate.simulator import SimulatorConfig, SimulatorHandle, serve_in_thread


@pytest.fixture(scope="session")
def simulator() -> Iterator[SimulatorHandle]:
    """A simulator without faults that streams as fast as it can."""
    with serve_in_thread(SimulatorConfig(tokens_per_s=0)) as handle:
        yield handle


@pytest.fixture(scope="session")
def client(simulator: SimulatorHandle) -> Iterator[openai.OpenAI]:
    """The official SDK, which tries nothing twice."""
    with openai.OpenAI(base_url=simulator.base_url, api_key="sk-test", max_retries=0) as sdk:
        yield sdk
