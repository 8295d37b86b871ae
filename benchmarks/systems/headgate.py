"""Headgate as it is installed, with keys, the ledger in SQLite, and metrics on."""

from __future__ import annotations

import importlib.metadata
import json
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Final

from benchmarks.cores import Cores
from benchmarks.payloads import MODEL
from benchmarks.processes import CALL_DEADLINE_S, BenchmarkError, free_port, spawn
from benchmarks.systems.system import Running

_KEY: Final = "hg_benchmark_5f0d2c7e9a41b86d3c10e7f2a9b4d6c8"
_HELP_DEADLINE_S: Final = 30.0

_EVERYTHING: Final = """
providers:
  stub: { base_url: "{upstream_url}", api_key: sk-stub, price_provider: openai }
routes:
  triage: { targets: [{ provider: stub, model: "gpt-4.1-mini" }], cache: { calls: all } }
limits:
  - per: organisation
    concurrent: 10000
  - per: project
    requests_per_minute: 100000000
    tokens_per_minute: 100000000000
  - per: [project, user]
    tokens_per_day: 100000000000
budgets:
  - { per: organisation, usd: "1000000", window: month }
  - { per: project, usd: "1000000", window: day }
"""
"""Limits on requests, tokens and concurrency, two budgets, and a cache before each call."""


class Headgate:
    """Headgate on its embedded database; nothing that costs is turned off."""

    def __init__(
        self,
        *,
        workers: int | None = None,
        configuration: str = "",
        setup: tuple[str, str] | None = None,
        everything: bool = False,
    ) -> None:
        """Take one worker, or as many as are to be compared with each other.

        `configuration` is a headgate.yaml in which `{upstream_url}` stands for the upstream;
        `setup` is what its figures are called by, and what it is in a few words. With
        `everything`, limits, budgets and a cache stand before each call.
        """
        if everything:
            configuration = _EVERYTHING
            setup = "headgate-all", "; limits, budgets and cache before each call"
        self.name = "headgate" if workers is None else f"headgate-{workers}"
        self._setup = ""
        if setup is not None:
            self.name, self._setup = setup
        # Streams are carried in the same way with and without.
        self.streams = not everything
        self._everything = everything
        self._workers = workers or 1
        self._configuration = configuration
        self._program = Path(sys.executable).parent / "headgate"

    @property
    def title(self) -> str:
        """Tell Headgate's version."""
        try:
            version = importlib.metadata.version("headgate")
        except importlib.metadata.PackageNotFoundError:
            version = "?"
        workers = f"{self._workers} worker{'s' * (self._workers > 1)}"
        return f"Headgate {version}: keys, ledger (SQLite) and metrics on, {workers}{self._setup}"

    def prepare(self, work: Path) -> str:
        """Say why `headgate serve` does not run, where it doesn't."""
        del work
        if not self._program.exists():
            return "headgate is not installed (pip install --editable .)"
        command = [str(self._program), "serve", "--help"]
        try:
            subprocess.run(command, check=True, timeout=_HELP_DEADLINE_S, capture_output=True)
        except subprocess.SubprocessError as error:
            said = getattr(error, "stderr", None) or b""
            last = said.decode(errors="replace").strip().rpartition("\n")[2]
            return f"`headgate serve` does not start: {last or error}"
        return ""

    def start(
        self, upstream_url: str, folder: Path, cores: Cores | None, *, streams: bool
    ) -> Running:
        """Start it with an empty database and the stub as its provider.

        Without ``cores`` it runs wherever this process may.
        """
        del streams
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.glob("headgate.db*"):
            old.unlink()
        port = free_port()
        project = folder / "headgate.yaml"
        project.write_text(self._configuration.replace("{upstream_url}", upstream_url))
        command = [str(self._program), "serve", str(folder), "--host", "127.0.0.1"]
        server = spawn(
            [*command, "--port", str(port), "--workers", str(self._workers)],
            folder=folder,
            environment={
                "OPENAI_BASE_URL": upstream_url,
                "OPENAI_API_KEY": "sk-stub",
                "HEADGATE_ADMIN_KEY": _KEY,
                "HEADGATE_DATABASE_URL": f"sqlite:///{folder / 'headgate.db'}",
            },
            cores=cores,
        )
        return Running(
            url=f"http://127.0.0.1:{port}/v1/chat/completions",
            headers={"Authorization": f"Bearer {_KEY}"},
            server=server,
            recorded=lambda: _recorded_calls(port),
            model="triage" if self._everything else MODEL,
            caches=self._everything,
        )


def _recorded_calls(port: int) -> int:
    """Return how many calls the ledger holds, as its own usage page tells."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/api/usage", headers={"Authorization": f"Bearer {_KEY}"}
    )
    try:
        with urllib.request.urlopen(request, timeout=CALL_DEADLINE_S) as response:
            return int(json.load(response)["total"]["calls"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BenchmarkError(f"/api/usage does not tell the calls: {error}") from error
