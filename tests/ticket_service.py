"""The example's ticket service as people start it, for tests to ask and for tools to act on."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import headgate.examples

SCRIPT = Path(headgate.examples.__file__).parent / "project" / "services" / "tickets.py"


@contextmanager
def tickets_running(folder: Path, *options: str) -> Iterator[str]:
    """The service with its database in `folder`, until the block ends; its address."""
    command = [sys.executable, str(SCRIPT), "--port", "0", "--database", folder / "tickets.db"]
    with (folder / "tickets.log").open("ab") as log:
        process = subprocess.Popen([*command, *options], stdout=subprocess.PIPE, stderr=log)
    assert process.stdout is not None
    try:
        said = process.stdout.readline().decode()
        assert "http://" in said, (folder / "tickets.log").read_text()
        yield said.split(",")[0].split()[-1]
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def asked(
    address: str, path: str, body: Any = None, *, headers: dict[str, str] | None = None
) -> tuple[int, Any]:
    """The status and the answer; a body that is bytes goes out as it is."""
    content = body if isinstance(body, bytes | None) else json.dumps(body).encode()
    request = urllib.request.Request(address + path, content, headers or {})
    try:
        with urllib.request.urlopen(request, timeout=10) as reply:
            return reply.status, json.load(reply)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)
