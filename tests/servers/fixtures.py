"""Servers that tests ask for: one of a test's own, or one that many share."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from servers.running import RunningServer
from servers.starting import StartServer, end_server, start_server
from upstreams import Upstream, upstream_running


@pytest.fixture
def server_with(
    tmp_path: Path,
    outliving: ExitStack,
) -> Iterator[StartServer]:
    """Starts servers of the test's own; they are stopped after it."""
    del outliving  # Asked for, so that a server's database is still there when it stops.
    started: list[RunningServer] = []

    def start(*, folder: Path | None = None, **options: Any) -> RunningServer:
        server = start_server(folder or tmp_path / f"server-{len(started)}", **options)
        started.append(server)
        return server

    yield start
    _end_all(started)


@pytest.fixture(scope="module")
def shared_with(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartServer]:
    """Servers that a module's tests share: who asks for the same as another gets the same one.

    So leave in it nothing that another test would trip over.
    """
    started: dict[str, RunningServer] = {}

    def start(*, folder: Path | None = None, **options: Any) -> RunningServer:
        asked = repr((folder, sorted(options.items())))
        if asked not in started:
            place = folder or tmp_path_factory.mktemp("shared") / "server"
            started[asked] = start_server(place, **options)
        return started[asked]

    yield start
    _end_all(started.values())


@pytest.fixture(scope="session")
def upstream() -> Iterator[Upstream]:
    """A provider under the tests' control; give each test a model name of its own."""
    with upstream_running() as running:
        yield running


@pytest.fixture(scope="session")
def gateway(
    upstream: Upstream, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningServer]:
    """A server with nothing but defaults, in front of `upstream`; shared, so change nothing."""
    server = start_server(tmp_path_factory.mktemp("gateway") / "server", upstream=upstream)
    yield server
    end_server(server)


@pytest.fixture(scope="session")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server with nothing configured, which its simulator answers; shared, so change nothing."""
    server = start_server(tmp_path_factory.mktemp("simulated") / "server")
    yield server
    end_server(server)


@pytest.fixture
def model(request: pytest.FixtureRequest) -> str:
    """A model name that no other test uses."""
    return re.sub(r"[^a-z0-9]+", "-", request.node.nodeid.lower())[-120:].strip("-")


def _end_all(servers: Iterable[RunningServer]) -> None:
    """End every one, whatever becomes of the others; raises the first failure."""
    failures = []
    for server in servers:
        try:
            end_server(server)
        except (AssertionError, subprocess.TimeoutExpired) as error:
            failures.append(error)
    if failures:
        raise failures[0]
