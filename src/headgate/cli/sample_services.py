"""The example project's sample services, started on free ports beside a server of its workflows."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

from headgate.errors import UnavailableError

OF_SERVICES = ("CRM_", "BILLING_", "TICKETS_")
"""How the variables begin by which the example's headgate.yaml finds services and their tokens.

What they say of a user's own services is not for the samples.
"""

_START = Path("services", "start.py")
_START_TIMEOUT_S = 20.0
_STOP_TIMEOUT_S = 5.0


@contextlib.contextmanager
def sample_services(folder: Path, *options: str) -> Iterator[dict[str, str]]:
    """What the environment of a server must say so that it finds them; stopped at the end.

    `options` are more of what `services/start.py` takes.
    """
    process = subprocess.Popen(  # noqa: S603 - our own file
        [sys.executable, "-u", str(folder / _START), "--free-ports", *options],
        env={n: value for n, value in os.environ.items() if not n.startswith(OF_SERVICES)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A Ctrl-C is for whoever started them.
        start_new_session=True,
    )
    try:
        yield _addresses(process)
    finally:
        process.terminate()
        try:
            process.communicate(timeout=_STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


def _addresses(process: subprocess.Popen[str]) -> dict[str, str]:
    """What they say of themselves, once all of them answer."""
    found: dict[str, str] = {}
    late = threading.Timer(_START_TIMEOUT_S, process.kill)
    late.start()
    try:
        for line in process.stdout or ():
            name, equals, address = line.strip().partition("=")
            if not equals:
                return found
            found[name] = address
    finally:
        late.cancel()
    process.wait(_STOP_TIMEOUT_S)
    said = "" if process.stderr is None else process.stderr.read()[-300:].strip()
    raise UnavailableError(f"the sample services did not start: {said}")
