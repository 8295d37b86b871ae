"""No gateway at all: the clients call the stub upstream, to tell what the rest adds to."""

from __future__ import annotations

from pathlib import Path

from benchmarks.cores import Cores
from benchmarks.systems.system import Running


class Direct:
    """The stub upstream itself, on the core of the load."""

    name = "direct"
    streams = True

    def __init__(self, title: str = "no gateway: the stub upstream itself") -> None:
        self.title = title

    def prepare(self, work: Path) -> str:
        """Nothing is needed."""
        del work
        return ""

    def start(
        self, upstream_url: str, folder: Path, cores: Cores | None, *, streams: bool
    ) -> Running:
        """Return the upstream's own address."""
        del folder, cores, streams
        return Running(
            url=f"{upstream_url}/chat/completions",
            headers={"Authorization": "Bearer sk-stub"},
            server=None,
        )
