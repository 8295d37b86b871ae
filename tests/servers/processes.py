"""Processes of the `headgate` command, with an environment of their own.

They are forks of one process that has imported Headgate (see `forks`), unless a test asks for them
`as_installed`.
"""

from __future__ import annotations

import atexit
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from forks import Forks, Process
from headgate.cli.main import COMMANDS

HEADGATE = str(Path(sys.executable).with_name("headgate"))
"""The command as it is installed."""

_forks = Forks(
    "headgate.app.serving",
    "headgate.app.preparation",
    "headgate.app.composition",
    "headgate.app.workbench",
    "headgate.simulator",
    "genai_prices.data",
    "uvicorn.lifespan.on",
    "uvicorn.protocols.http.httptools_impl",
    "uvloop",
    *(module for module, _ in COMMANDS.values()),
)
"""Started with what between them brings in nearly all that a server or a command imports."""
atexit.register(_forks.close)


def environment(folder: Path, **more: str) -> dict[str, str]:
    """A process's environment, with nothing of ours that could lead it astray."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "LANG": "C.UTF-8",
        "PYTHONWARNINGS": "error::ResourceWarning",
        # Another worktree's code than the one that is installed, where that is tested.
        **{name: os.environ[name] for name in ("PYTHONPATH",) if name in os.environ},
        **more,
    }


def headgate(
    *arguments: str,
    folder: Path,
    typed: str = "",
    timeout_s: float = 30.0,
    as_installed: bool = False,
    **env: str,
) -> subprocess.CompletedProcess[str]:
    """Run one command to its end, in `folder`; `typed` is what it finds to read."""
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as files:
        typed_in, out, err = (Path(files) / f"{name}.txt" for name in ("in", "out", "err"))
        typed_in.write_text(typed)
        process = start_process(
            arguments,
            folder,
            environment(folder, **env),
            stdin=typed_in,
            stdout=out,
            stderr=err,
            as_installed=as_installed,
        )
        try:
            code = process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            raise
        return subprocess.CompletedProcess(arguments, code, out.read_text(), err.read_text())


def start_process(
    arguments: Sequence[str],
    folder: Path,
    variables: Mapping[str, str],
    *,
    stdin: Path = Path(os.devnull),
    stdout: Path,
    stderr: Path,
    as_installed: bool,
) -> Process:
    """One command, just started, in `folder`."""
    command = [HEADGATE, *arguments]
    if not as_installed:
        return _forks.start(
            command, folder=folder, env=variables, stdin=stdin, stdout=stdout, stderr=stderr
        )
    with stdin.open("rb") as read, stdout.open("wb") as out, stderr.open("wb") as err:
        return subprocess.Popen(
            command,
            cwd=folder,
            env=variables,
            stdin=read,
            stdout=out,
            stderr=err,
            start_new_session=True,
        )
