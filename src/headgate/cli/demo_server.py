"""The server of `headgate demo`: one of its own, which can be killed and started again."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from headgate.cli.api_client import ApiClient
from headgate.cli.sample_services import OF_SERVICES
from headgate.errors import HeadgateError, UnavailableError

_START_TIMEOUT_S = 30.0
_STOP_TIMEOUT_S = 15.0
_DEFAULT_PORT = 8800
_LOG_CHARACTERS_TOLD = 500


class DemoServer:
    """A server on the example project, with a key of its own."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        """`environment` is added to what this process was given, less its keys."""
        self.folder = folder
        self.key = f"hg_{secrets.token_urlsafe(32)}"
        self._environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("OPENAI_", "HEADGATE_", *OF_SERVICES))
        } | {"HEADGATE_ADMIN_KEY": self.key, **environment}
        self._log = folder.parent / "server.log"
        self._process: subprocess.Popen[str] | None = None
        self.url = ""

    def start(self) -> None:
        """Start it, or start it again where it was; raises `UnavailableError`."""
        port = self.url.rpartition(":")[2]
        for wanted in (port,) if port else (str(_DEFAULT_PORT), "0"):
            arguments = ["-m", "headgate", "serve", str(self.folder), "--port", wanted]
            self._process = _begun(arguments, self._environment, self._log)
            if url := _address(self._process, "/readyz"):
                self.url = url
                return
            self.stop()
        told = self._log.read_text("utf-8")[-_LOG_CHARACTERS_TOLD:].strip()
        raise UnavailableError(f"the server did not start: {told}")

    def kill(self) -> None:
        """`kill -9`: it can finish nothing."""
        if self._process is not None:
            self._process.kill()
            self.stop()

    def stop(self) -> None:
        """End it in order."""
        if self._process is not None:
            _end(self._process)
            self._process = None

    def wait(self) -> None:
        """Wait until it ends."""
        if self._process is not None:
            self._process.wait()

    def client(self) -> ApiClient:
        """A client of it, with its key."""
        return ApiClient(self.url, {"HEADGATE_API_KEY": self.key})


def _begun(
    arguments: list[str], environment: Mapping[str, str], log: Path
) -> subprocess.Popen[str]:
    with log.open("a", encoding="utf-8") as errors:
        return subprocess.Popen(  # noqa: S603 - our own commands
            [sys.executable, *arguments],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            # A Ctrl-C is for the demo, which then stops them itself.
            start_new_session=True,
        )


def _end(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(_STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    if process.stdout is not None:
        process.stdout.close()


def _address(process: subprocess.Popen[str], ready: str) -> str | None:
    """Where the process says that it listens, once it answers; None where it ended instead."""
    line = process.stdout.readline() if process.stdout else ""
    words = [word.rstrip(",") for word in line.split() if word.startswith("http://")]
    if not words:
        return None
    deadline_s = time.monotonic() + _START_TIMEOUT_S
    client = ApiClient(words[0], {"HEADGATE_API_KEY": "-"})
    try:
        while process.poll() is None and time.monotonic() < deadline_s:
            with contextlib.suppress(HeadgateError):
                if client.get(ready)[0] == 200:
                    return words[0]
            time.sleep(0.05)
    finally:
        client.close()
    return None
