"""Who had the processor? Pins the sides of a measurement and tells how busy each core was.

A figure means little where the load, and not the server, was the bottleneck, or where another
program took the core: so each measurement says how busy both cores were, and with whom.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

TICKS_PER_S: Final = os.sysconf("SC_CLK_TCK")
_PROC: Final = Path("/proc")


@dataclass(frozen=True)
class Cores:
    """The core of the server under test, and the core of the load and the stub."""

    load: int
    server: int
    allowed: tuple[int, ...] = ()
    """All that this process might use when it began."""

    @property
    def shared(self) -> bool:
        """Tell whether the machine has but one core, so that the figures mean little."""
        return self.load == self.server

    @classmethod
    def choose(cls) -> Cores:
        """Take the first and the last core that this process may use."""
        allowed = sorted(os.sched_getaffinity(0))
        return cls(load=allowed[0], server=allowed[-1], allowed=tuple(allowed))

    def take_load(self) -> None:
        """Pin this process to the core of the load."""
        os.sched_setaffinity(0, {self.load})

    @contextmanager
    def unpinned(self) -> Iterator[None]:
        """Let this process, and what is started within, use every core that it may."""
        os.sched_setaffinity(0, self.allowed or {self.load, self.server})
        try:
            yield
        finally:
            self.take_load()

    @contextmanager
    def as_server(self) -> Iterator[None]:
        """Let what is started within inherit the core of the server."""
        os.sched_setaffinity(0, {self.server})
        try:
            yield
        finally:
            os.sched_setaffinity(0, {self.load})


@dataclass(frozen=True)
class Use:
    """How the cores were used over a while, as shares of one core (0 to 1, or above)."""

    server_core_busy: float
    load_core_busy: float
    foreign: float
    """What programs that are not part of the measurement took, on both cores together."""


@dataclass(frozen=True)
class _Snapshot:
    at_s: float
    busy_ticks: dict[int, int]
    program_ticks: int
    own_ticks: int


class Watch:
    """Measures the use of the cores from its making to `use`."""

    def __init__(self, cores: Cores) -> None:
        self._cores = cores
        self._before = _snapshot(cores)

    def use(self) -> Use:
        """Return the use since the watch was made."""
        before, after = self._before, _snapshot(self._cores)
        ticks = max(after.at_s - before.at_s, 1e-6) * TICKS_PER_S

        def busy(core: int) -> float:
            return (after.busy_ticks[core] - before.busy_ticks[core]) / ticks

        programs = after.program_ticks - before.program_ticks
        own = after.own_ticks - before.own_ticks
        return Use(
            server_core_busy=min(busy(self._cores.server), 1.0),
            load_core_busy=min(busy(self._cores.load), 1.0),
            foreign=max(programs - own, 0) / ticks,
        )


def process_tree(root: int) -> list[int]:
    """Return ``root`` and all its living descendants."""
    children: dict[int, list[int]] = {}
    for entry in _PROC.iterdir():
        if entry.name.isdigit():
            fields = _stat(int(entry.name))
            if fields:
                children.setdefault(int(fields[1]), []).append(int(entry.name))
    tree, waiting = [], [root]
    while waiting:
        pid = waiting.pop()
        tree.append(pid)
        waiting.extend(children.get(pid, ()))
    return tree


def resident_bytes(root: int) -> int:
    """Return the resident memory of ``root`` and its descendants, summed."""
    total = 0
    for pid in process_tree(root):
        try:
            status = (_PROC / str(pid) / "status").read_text()
        except OSError:
            continue
        for line in status.splitlines():
            if line.startswith("VmRSS:"):
                total += int(line.split()[1]) * 1024
    return total


def _snapshot(cores: Cores) -> _Snapshot:
    busy: dict[int, int] = {}
    programs = 0
    for line in (_PROC / "stat").read_text().splitlines():
        name, *numbers = line.split()
        if name.startswith("cpu") and name[3:].isdigit():
            user, nice, system, idle, waiting = (int(number) for number in numbers[:5])
            core = int(name[3:])
            busy[core] = sum(int(number) for number in numbers[:8]) - idle - waiting
            if core in (cores.load, cores.server):
                programs += user + nice + system
    own = sum(_ticks(pid) for pid in process_tree(os.getpid()))
    return _Snapshot(time.monotonic(), busy, programs, own)


def _ticks(pid: int) -> int:
    # Its own time and that of the children it has waited for, such as a generator that has ended.
    fields = _stat(pid)
    return sum(int(field) for field in fields[11:15]) if fields else 0


def _stat(pid: int) -> list[str]:
    """Return the fields of a process's stat after its name, which may hold spaces."""
    try:
        text = (_PROC / str(pid) / "stat").read_text()
    except OSError:
        return []
    return text[text.rindex(")") + 2 :].split()
