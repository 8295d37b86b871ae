"""What must a system offer, to be measured? A name, a start, an address and a process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from benchmarks.cores import Cores
from benchmarks.payloads import MODEL
from benchmarks.processes import Server


@dataclass(frozen=True)
class Running:
    """A system that has been started: its address for calls, and its process where it has one."""

    url: str
    headers: dict[str, str]
    server: Server | None
    recorded: Callable[[], int] | None = None
    """Asks the system how many calls it has on record, where it keeps one."""
    model: str = MODEL
    """What it calls the stub's model."""
    caches: bool = False
    """Whether it answers again what was asked before, so that requests must be numbered."""


class System(Protocol):
    """A kind of server that can stand between the clients and the upstream."""

    @property
    def name(self) -> str:
        """A short name, for `--only` and the table."""

    @property
    def title(self) -> str:
        """What exactly is measured, in a few words, with its version."""

    @property
    def streams(self) -> bool:
        """Whether its streams are measured too."""

    def prepare(self, work: Path) -> str:
        """Install what may be installed; return why it cannot run here, or an empty string."""

    def start(
        self, upstream_url: str, folder: Path, cores: Cores | None, *, streams: bool
    ) -> Running:
        """Start it before ``upstream_url`` (which ends in /v1), on the server's core.

        ``streams`` tells that only streams will be asked for, so that it may be set up for them.
        """
