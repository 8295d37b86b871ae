"""Starts `headgate serve` as an operator does, and ends it."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from servers.patience import until
from servers.processes import environment, start_process
from servers.running import ADMIN_KEY, LISTENS, RunningServer
from upstreams import Upstream

PROVIDER_KEY = "sk-provider-4f1c9a7e2b8d4660a1f3-never-to-be-seen"
"""The provider's key; no server may ever show it."""

START_TIMEOUT_S = 20.0


class StartServer(Protocol):
    """What `server_with` gives."""

    def __call__(
        self,
        *,
        folder: Path | None = None,
        settings: str | None = None,
        env: Mapping[str, str] | None = None,
        upstream: Upstream | str | None = None,
        workers: int = 1,
        database_url: str | None = None,
        admin_key: str | None = ADMIN_KEY,
        host: str = "127.0.0.1",
        port: int = 0,
        as_installed: bool = False,
    ) -> RunningServer:
        """A server; `settings` is the text of its headgate.yaml, no `upstream` the simulator."""


def start_server(
    folder: Path,
    *,
    settings: str | None = None,
    env: Mapping[str, str] | None = None,
    upstream: Upstream | str | None = None,
    workers: int = 1,
    database_url: str | None = None,
    admin_key: str | None = ADMIN_KEY,
    host: str = "127.0.0.1",
    port: int = 0,
    as_installed: bool = False,
) -> RunningServer:
    """Start `headgate serve` in `folder` and wait until it answers."""
    folder.mkdir(parents=True, exist_ok=True)
    if settings is not None:
        (folder / "headgate.yaml").write_text(settings)
    variables = environment(folder)
    if upstream is not None:
        base_url = upstream if isinstance(upstream, str) else upstream.base_url
        variables |= {"OPENAI_BASE_URL": base_url, "OPENAI_API_KEY": PROVIDER_KEY}
    if database_url is not None:
        variables["HEADGATE_DATABASE_URL"] = database_url
    if admin_key is not None:
        variables["HEADGATE_ADMIN_KEY"] = admin_key
    variables |= env or {}
    arguments = ["serve", "--host", host, "--port", str(port), "--workers", str(workers)]
    began_s = time.monotonic()
    process = start_process(
        arguments,
        folder,
        variables,
        stdout=folder / "stdout.txt",
        stderr=folder / "stderr.txt",
        as_installed=as_installed,
    )

    def said() -> bool:
        return process.poll() is not None or bool(
            LISTENS.search((folder / "stdout.txt").read_text())
        )

    try:
        until(said, START_TIMEOUT_S)
        if process.poll() is not None:
            raise AssertionError(
                f"the server ended with {process.poll()}:\n" + (folder / "stderr.txt").read_text()
            )
        server = RunningServer(
            process,
            folder,
            variables.get("HEADGATE_DATABASE_URL") or f"sqlite:///{folder}/data/headgate.db",
            0.0,
        )
        assert until(lambda: _is_healthy(server), START_TIMEOUT_S), server.stderr()
    except BaseException:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        raise
    server.started_in_s = time.monotonic() - began_s
    return server


def end_server(server: RunningServer) -> None:
    """Stop a server and hold it to what every server must keep to."""
    try:
        server.stop()
    finally:
        if server.process.poll() is None:
            server.kill()
        server.close_connections()
    for text in (server.stdout(), server.stderr()):
        assert PROVIDER_KEY not in text, "the provider's key was shown"
        assert "Traceback" not in text, text


def _is_healthy(server: RunningServer) -> bool:
    try:
        return server.get("/healthz", key=None, timeout_s=5).status == 200
    except OSError:
        return False
