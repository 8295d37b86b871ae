"""The mock server and Headgate as processes: started, awaited and stopped."""

from __future__ import annotations

import http.client
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import sqlalchemy as sa
from fetch import CannotFetch, Kit

KEY = "hg_sdk-suite-0123456789abcdef0123456789"

_BRACKETS = [
    f"--validator-{part}-{kind}-format=brackets"
    for part in ("query", "form")
    for kind in ("array", "object")
]
"""How the SDK writes lists and objects in queries and forms; its `scripts/mock` says the same."""

_START_S = 60.0
_STOP_S = 15.0
_POLL_S = 0.05
_SETTINGS = """\
providers:
  openai:
    base_url: {base_url}
    api_key: sk-mock
retries: {{ max_attempts: 1 }}
logs: {{ calls: errors }}
endpoints:
  unregistered_objects: open
  allow: [{allowed}]
routes:
"""
_ALLOWED = (
    "agents", "assistants", "audio/voice_consents", "audio/voices", "chatkit", "completions",
    "content_provenance_checks", "decisions", "fine_tuning/alpha", "fine_tuning/checkpoints",
    "live", "realtime/calls", "realtime/translations", "safety", "threads", "vaults",
    "webhook_endpoints", "webhook_event_types",
)  # fmt: skip
"""Below `/v1/`: what Headgate does not know, and an operator may let pass by name."""

_ROUTE = "  {name}: {{ targets: [{{ provider: openai, model: {name} }}] }}\n"


class Known(NamedTuple):
    """What the tests ask for by name without having made it."""

    responses: set[str]
    models: set[str]


@contextmanager
def mock_server(kit: Kit, folder: Path) -> Iterator[str]:
    """The address of the mock server."""
    port = _free_port()
    command = [
        str(kit.mock), "--host", "127.0.0.1", "-p", str(port), "--log=false", *_BRACKETS,
        str(kit.specification),
    ]  # fmt: skip
    with _running(command, folder / "mock.log", port, "/_x-steady/health", {}):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def headgate(upstream: str, folder: Path, known: Known) -> Iterator[str]:
    """The base URL of a new Headgate in front of `upstream`, whose key is `KEY`.

    It shows a project only what the project made or was given, and only models that there are. The
    mock server knows neither, so responses and models that the tests ask for are put into its
    ledger and its routes first, and other objects are open.
    """
    project = folder / "project"
    project.mkdir()
    allowed = [f'"/v1/{path}{below}"' for path in _ALLOWED for below in ("", "/*")]
    (project / "headgate.yaml").write_text(
        _SETTINGS.format(base_url=upstream, allowed=", ".join(allowed))
        + "".join(_ROUTE.format(name=name) for name in sorted(known.models)),
        "utf-8",
    )
    database = f"sqlite:///{project / 'headgate.db'}"
    port = _free_port()
    command = [
        str(Path(sys.executable).with_name("headgate")), "serve", str(project),
        "--host", "127.0.0.1", "--port", str(port),
    ]  # fmt: skip
    environment = {"HEADGATE_ADMIN_KEY": KEY, "HEADGATE_DATABASE_URL": database}
    with _running(command, folder / "headgate.log", port, "/healthz", environment):
        _own(database, known.responses)
        yield f"http://127.0.0.1:{port}/v1"


def _own(database_url: str, responses: set[str]) -> None:
    # Not by Headgate's own code: what it would write by itself is what is tried here.
    engine = sa.create_engine(database_url)
    calls = sa.Table("calls", sa.MetaData(), autoload_with=engine)
    filled: dict[str, object] = {"project": "default", "provider": "openai"}
    for column in calls.columns:
        if not column.nullable and column.name not in filled:
            filled[column.name] = "" if isinstance(column.type, sa.String) else 0
    with engine.begin() as connection:
        for number, response in enumerate(sorted(responses)):
            row = filled | {"id": f"call_suite{number}", "response_id": response}
            connection.execute(calls.insert().values(row))
    engine.dispose()


@contextmanager
def _running(
    command: list[str], log: Path, port: int, health: str, environment: Mapping[str, str]
) -> Iterator[None]:
    clean = {name: value for name, value in os.environ.items() if not _OURS.match(name)}
    with (
        log.open("wb") as output,
        subprocess.Popen(
            command, stdout=output, stderr=subprocess.STDOUT, env={**clean, **environment}
        ) as process,
    ):
        try:
            _await(process, command[0], port, health, log)
            yield
        finally:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(_STOP_S)
            process.kill()


_OURS = re.compile(r"OPENAI_|HEADGATE_")


def _await(
    process: subprocess.Popen[bytes], program: str, port: int, health: str, log: Path
) -> None:
    deadline_s = time.monotonic() + _START_S
    while time.monotonic() < deadline_s and process.poll() is None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        with suppress(OSError, http.client.HTTPException):
            connection.request("GET", health)
            if connection.getresponse().status == 200:
                connection.close()
                return
        connection.close()
        time.sleep(_POLL_S)
    said = log.read_text("utf-8", "replace").strip().rpartition("\n")[2]
    raise CannotFetch(f"{program} did not start: {said}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
