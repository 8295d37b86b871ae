"""Whether the machine has what a server takes: open files, room on the disk."""

from __future__ import annotations

import os
import platform
import resource
import shutil
from collections.abc import Iterator
from pathlib import Path

from headgate.cli.diagnosis.finding import Finding

_LEAST_FILES = 4_096
"""Each call under way holds two connections, and each is an open file."""

_LEAST_FREE_BYTES = 1024**3


def look_at_machine(folder: Path | None) -> Iterator[Finding]:
    """What is found of this machine, with `folder` for what a server writes."""
    # What a server may raise it to by itself is the hard limit; it doesn't.
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files != resource.RLIM_INFINITY and files < _LEAST_FILES:
        yield Finding(
            of="machine",
            state="warning",
            says=f"a process may open {files:,} files, each connection is one",
            remedy=f"raise it for the server: `ulimit -n {_LEAST_FILES}`, LimitNOFILE= in a unit",
        )
    where = _nearest(folder or Path.cwd())
    free_bytes = shutil.disk_usage(where).free
    if free_bytes < _LEAST_FREE_BYTES:
        yield Finding(
            of="machine",
            state="warning",
            says=f"{free_bytes // 1024**2:,} MiB are free on the disk of {where}",
            remedy="make room: a database that can't grow refuses calls",
        )
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    yield Finding(
        of="machine",
        state="ok",
        says=f"Python {platform.python_version()}, {cores} cores,"
        f" {free_bytes / 1024**3:,.0f} GiB free",
    )


def _nearest(folder: Path) -> Path:
    """`folder`, or the folder above it that is there."""
    folder = folder.resolve()
    while not folder.is_dir() and folder != folder.parent:
        folder = folder.parent
    return folder
