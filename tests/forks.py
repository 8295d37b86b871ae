"""Processes of Python scripts that are forked from one that has done their imports already.

To import Headgate and what it needs takes half a second of CPU, to do what a test wants of the
process a tenth. A fork has its own environment, folder and session, and ends as any Python does;
only what the start itself must prove (that the installed command imports what it uses, say) has to
be started as it is installed.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

_POLL_EVERY_S = 0.01
_NOWHERE = Path(os.devnull)
_PARENT = str(Path(__file__).with_name("forking.py"))


class Process(Protocol):
    """What tests use of a process, whoever has started it: a part of `subprocess.Popen`."""

    pid: int

    def poll(self) -> int | None:
        """Its exit code, if it has ended."""

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code, once it has ended; raises `subprocess.TimeoutExpired`."""

    def send_signal(self, sig: int) -> None:
        """Send it a signal, unless it has ended."""


class ForkedProcess:
    """A process that the parent process of `Forks` has forked."""

    def __init__(self, forks: Forks, pid: int, command: Sequence[str]) -> None:
        self.pid = pid
        self._forks = forks
        self._command = list(command)
        self._code: int | None = None
        self._asking = threading.Lock()

    def poll(self) -> int | None:
        """Its exit code, if it has ended."""
        with self._asking:
            if self._code is None:
                self._code = self._forks.exit_code(self.pid)
            return self._code

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code, once it has ended."""
        deadline_s = None if timeout is None else time.monotonic() + timeout
        while (code := self.poll()) is None:
            if deadline_s is not None and time.monotonic() > deadline_s:
                raise subprocess.TimeoutExpired(self._command, timeout or 0.0)
            time.sleep(_POLL_EVERY_S)
        return code

    def send_signal(self, sig: int) -> None:
        """Send it a signal, unless it has ended."""
        # Until it is asked after, an ended process keeps its id, so nobody else is hit.
        if self.poll() is None:
            os.kill(self.pid, sig)


class Forks:
    """A process that has imported `modules`, started when the first fork is wanted."""

    def __init__(self, *modules: str) -> None:
        self._modules = modules
        self._parent: subprocess.Popen[bytes] | None = None
        self._one_at_a_time = threading.Lock()

    def start(
        self,
        command: Sequence[str],
        *,
        folder: Path,
        env: Mapping[str, str],
        stdin: Path = _NOWHERE,
        stdout: Path = _NOWHERE,
        stderr: Path = _NOWHERE,
    ) -> ForkedProcess:
        """A process, in a session of its own, that runs a script with its arguments in `folder`."""
        for file in (stdout, stderr):
            file.write_bytes(b"")  # there at once, with nothing of an earlier process
        pid = self._ask(
            {
                "command": list(command),
                "folder": str(folder),
                "env": dict(env),
                "stdin": str(stdin),
                "stdout": str(stdout),
                "stderr": str(stderr),
            }
        )
        assert pid is not None
        return ForkedProcess(self, pid, command)

    def exit_code(self, pid: int) -> int | None:
        """That of a fork, if it has ended; to be asked no more after that."""
        return self._ask({"ended": pid})

    @property
    def pid(self) -> int | None:
        """The id of the process that forks, where there is one already."""
        return None if self._parent is None else self._parent.pid

    def close(self) -> None:
        """End the process that forks; what it has forked goes on."""
        if self._parent is not None:
            self._parent.communicate()
            self._parent = None

    def _ask(self, question: Mapping[str, Any]) -> int | None:
        with self._one_at_a_time:
            if self._parent is None:
                self._parent = subprocess.Popen(
                    [sys.executable, _PARENT, *self._modules],
                    env={
                        # What Python reads when it starts is the same for all forks.
                        name: value
                        for name, value in os.environ.items()
                        if name in ("PATH", "PYTHONPATH")
                    }
                    | {"LANG": "C.UTF-8", "PYTHONWARNINGS": "error::ResourceWarning"},
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    start_new_session=True,  # a Ctrl-C is for the tests to act on
                )
            assert self._parent.stdin is not None
            assert self._parent.stdout is not None
            self._parent.stdin.write(json.dumps(question).encode() + b"\n")
            self._parent.stdin.flush()
            answer = self._parent.stdout.readline()
            assert answer, "the process that forks has ended"
            found = json.loads(answer)
            return None if found is None else int(found)
