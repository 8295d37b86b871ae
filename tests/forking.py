"""The process that `forks` starts: it imports what is named, then forks as it is asked to.

A script, and nothing that tests import. Questions come by its standard input, a line of JSON each.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import runpy
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn


def _main() -> None:
    """Import what is named, then fork as it is asked to; in a fork, run the script."""
    del sys.path[0]  # this file's folder
    for name in sys.argv[1:]:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()
    assert len(list(Path("/proc/self/task").iterdir())) == 1, (
        "a thread would be missing in each fork"
    )
    # Read byte by byte what is buffered nowhere: a fork must not find the rest of it.
    with open(0, "rb", buffering=0, closefd=False) as questions:
        for line in iter(questions.readline, b""):
            question = json.loads(line)
            answer = _ended(question["ended"]) if "ended" in question else os.fork()
            if answer == 0 and "ended" not in question:
                _become(question)
            os.write(1, json.dumps(answer).encode() + b"\n")


def _ended(pid: int) -> int | None:
    found, status = os.waitpid(pid, os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if found else None


def _become(wanted: Mapping[str, Any]) -> NoReturn:
    os.setsid()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number, path, mode in (
        (0, wanted["stdin"], os.O_RDONLY),
        (1, wanted["stdout"], os.O_WRONLY),
        (2, wanted["stderr"], os.O_WRONLY),
    ):
        opened = os.open(path, mode)
        os.dup2(opened, number)
        os.close(opened)
    os.chdir(wanted["folder"])
    os.environ.clear()
    os.environ.update(wanted["env"])
    sys.argv = wanted["command"]
    sys.path.insert(0, str(Path(sys.argv[0]).parent))
    runpy.run_path(sys.argv[0], run_name="__main__")
    sys.exit()


if __name__ == "__main__":
    _main()
