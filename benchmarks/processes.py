"""How is a server started, awaited and stopped? Each runs pinned, with its output in a file."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from benchmarks.cores import Cores
from benchmarks.payloads import answer_text

START_DEADLINE_S: Final = 90.0
CALL_DEADLINE_S: Final = 30.0
STOP_DEADLINE_S: Final = 10.0
_POLL_S: Final = 0.002


class BenchmarkError(Exception):
    """A system could not be measured; the message says why."""


@dataclass(frozen=True)
class Server:
    """A running server: its process, when it was spawned, and where its output goes."""

    process: subprocess.Popen[bytes]
    spawned_s: float
    log: Path

    @property
    def pid(self) -> int:
        """The process at the root of the server's tree."""
        return self.process.pid

    def last_words(self) -> str:
        """Return the last line of the server's output, for an error message."""
        lines = self.log.read_text(errors="replace")[-4_000:].split("\n")
        return next((line.strip()[:300] for line in reversed(lines) if line.strip()), "no output")


def free_port() -> int:
    """Return a port of 127.0.0.1 that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def spawn(
    command: list[str], *, folder: Path, environment: dict[str, str], cores: Cores | None
) -> Server:
    """Start ``command`` in ``folder``, on the server's core, or where ``cores`` is None on ours."""
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "output.log"
    pinned = cores.as_server() if cores is not None else contextlib.nullcontext()
    with log.open("wb") as output, pinned:
        spawned_s = time.perf_counter()
        process = subprocess.Popen(
            command,
            cwd=folder,
            env={**_clean_environment(), **environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    return Server(process, spawned_s, log)


def await_first_answer(server: Server, url: str, headers: dict[str, str], body: bytes) -> float:
    """Call until the first right answer; return the seconds from the spawn to it.

    Raises BenchmarkError where the server ends, answers something else, or is not there in 90 s.
    """
    deadline_s = server.spawned_s + START_DEADLINE_S
    seen = "no answer"
    while time.perf_counter() < deadline_s:
        if server.process.poll() is not None:
            raise BenchmarkError(f"it ended by itself: {server.last_words()}")
        try:
            status, reply = call(url, headers, body)
        except (OSError, http.client.HTTPException) as error:
            seen = str(error)
        else:
            if status == 200:
                taken_s = time.perf_counter() - server.spawned_s
                check_reply(reply)
                return taken_s
            seen = f"{status} {reply[:300].decode(errors='replace')}"
        time.sleep(_POLL_S)
    raise BenchmarkError(f"no answer in {START_DEADLINE_S:.0f} s ({seen}): {server.last_words()}")


def call(url: str, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
    """Make one POST; return its status and body. Raises OSError or HTTPException."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(
        parts.hostname or "127.0.0.1", parts.port, timeout=CALL_DEADLINE_S
    )
    with contextlib.closing(connection):
        connection.request("POST", parts.path, body, {"content-type": "application/json"} | headers)
        response = connection.getresponse()
        return response.status, response.read()


def check_reply(reply: bytes) -> None:
    """Raise BenchmarkError unless ``reply`` carries the stub's whole answer and its usage."""
    try:
        value = json.loads(reply)
        text = value["choices"][0]["message"]["content"]
        tokens = value["usage"]["total_tokens"]
    except (ValueError, KeyError, IndexError, TypeError) as error:
        raise BenchmarkError(f"not a chat completion: {reply[:200]!r}") from error
    if text != answer_text() or not tokens:
        raise BenchmarkError(f"not the upstream's answer: {reply[:200]!r}")


def stop(server: Server) -> None:
    """End the server and what it started: asked first, then killed after 10 s."""
    for number, wait_s in ((signal.SIGTERM, STOP_DEADLINE_S), (signal.SIGKILL, STOP_DEADLINE_S)):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(server.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.process.wait(wait_s)
            break
    # A child that outlived its parent is still in the session that was made for it.
    with contextlib.suppress(ProcessLookupError):
        os.killpg(server.pid, signal.SIGKILL)


def _clean_environment() -> dict[str, str]:
    """Return our environment without what would change a server's behaviour unseen."""
    unwanted = ("OPENAI_", "HEADGATE_", "LITELLM_", "PYTHON")
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(unwanted) and not name.lower().endswith("_proxy")
    }
