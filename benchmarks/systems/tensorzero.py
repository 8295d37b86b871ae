"""TensorZero's gateway, in Rust, embedded in a Python process that does nothing else.

It comes as a container; what can be installed is its Python client, which carries the same gateway
and serves it over HTTP. It checks no key and keeps no record: its observability needs ClickHouse.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Final

from benchmarks.cores import Cores
from benchmarks.payloads import MODEL
from benchmarks.processes import START_DEADLINE_S, BenchmarkError, spawn, stop
from benchmarks.systems.environment import install, is_installed
from benchmarks.systems.system import Running

VERSION: Final = "2026.6.0"
_OPENAI_VERSION: Final = "3.52.0"
_INSTALL_DEADLINE_S: Final = 600.0
_POLL_S: Final = 0.01

_CONFIGURATION: Final = """
[gateway]
observability.enabled = false

[models."{model}"]
routing = ["stub"]

[models."{model}".providers.stub]
type = "openai"
model_name = "{model}"
api_base = "{upstream_url}/"
"""


class TensorZero:
    """The embedded gateway, one process, observability off."""

    name = "tensorzero"
    streams = True
    title = f"TensorZero {VERSION}, its embedded gateway over HTTP: no keys, no records"

    def __init__(self) -> None:
        self._python = Path("python")

    def prepare(self, work: Path) -> str:
        """Install it once, from the package index; say what went wrong where that fails."""
        environment = work / f"tensorzero-{VERSION}"
        self._python = environment / "bin" / "python"
        if is_installed(environment):
            return ""
        packages = [f"tensorzero=={VERSION}", f"openai=={_OPENAI_VERSION}"]
        return install("TensorZero", environment, *packages, deadline_s=_INSTALL_DEADLINE_S)

    def start(
        self, upstream_url: str, folder: Path, cores: Cores | None, *, streams: bool
    ) -> Running:
        """Start it with one model, the stub."""
        del streams
        folder.mkdir(parents=True, exist_ok=True)
        configuration = folder / "tensorzero.toml"
        configuration.write_text(_CONFIGURATION.format(model=MODEL, upstream_url=upstream_url))
        address = folder / "address"
        address.unlink(missing_ok=True)
        # -P: the script stands beside this file, which has the name of what it imports.
        script = Path(__file__).with_name("tensorzero_server.py")
        server = spawn(
            [str(self._python), "-P", str(script), str(configuration), str(address)],
            folder=folder,
            environment={"OPENAI_API_KEY": "sk-stub"},
            cores=cores,
        )
        deadline_s = time.monotonic() + START_DEADLINE_S
        # It takes a port of its own choice.
        while not address.exists() or not (url := address.read_text()):
            if server.process.poll() is not None or time.monotonic() > deadline_s:
                stop(server)
                raise BenchmarkError(f"TensorZero does not start: {server.last_words()}")
            time.sleep(_POLL_S)
        return Running(
            url=f"{url}chat/completions",
            headers={},
            server=server,
            model=f"tensorzero::model_name::{MODEL}",
        )
