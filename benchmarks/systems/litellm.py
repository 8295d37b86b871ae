"""LiteLLM's proxy, set up as its documentation recommends for production.

It is installed into an environment of its own, at the versions in litellm-constraints.txt. It runs
without a database, which spares it the writing of a spend log; its Prisma client fetches an engine
from the network when it is set up, which a benchmark should not need.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from benchmarks.cores import Cores
from benchmarks.payloads import MODEL
from benchmarks.processes import free_port, spawn
from benchmarks.systems.environment import install, is_installed
from benchmarks.systems.system import Running

VERSION: Final = "1.106.2"

INSTALL_DEADLINE_S: Final = 900.0

_CONSTRAINTS: Final = Path(__file__).parent.parent / "litellm-constraints.txt"
_KEY: Final = "sk-benchmark-1234"
_CONFIGURATION: Final = """
model_list:
  - model_name: {model}
    litellm_params:
      model: openai/{model}
      api_base: {upstream_url}
      api_key: sk-stub
general_settings:
  master_key: os.environ/LITELLM_MASTER_KEY
litellm_settings:
  request_timeout: 600
  set_verbose: false
  json_logs: true
"""


class LiteLLM:
    """The proxy of LiteLLM, one worker, with a master key and without a database."""

    name = "litellm"
    streams = True
    title = f"LiteLLM proxy {VERSION}, production settings, 1 worker, master key, no database"

    def __init__(self, more: str = "") -> None:
        """Take `more` as further lines of its configuration."""
        self._more = more
        self._program = Path("litellm")

    def installed(self, work: Path) -> bool:
        """Tell whether it is there already, so that nothing needs to be fetched."""
        return (work / f"litellm-{VERSION}" / "installed").exists()

    def prepare(self, work: Path) -> str:
        """Install it once, from the package index; say what went wrong where that fails."""
        environment = work / f"litellm-{VERSION}"
        self._program = environment / "bin" / "litellm"
        if is_installed(environment):
            return ""
        print(f"Installing LiteLLM {VERSION} into {environment} (about 750 MB) …", flush=True)
        package = f"litellm[proxy]=={VERSION}"
        constrained = ("--constraint", str(_CONSTRAINTS))
        return install("LiteLLM", environment, package, *constrained, deadline_s=INSTALL_DEADLINE_S)

    def start(
        self, upstream_url: str, folder: Path, cores: Cores | None, *, streams: bool
    ) -> Running:
        """Start the proxy with one model, the stub."""
        del streams
        folder.mkdir(parents=True, exist_ok=True)
        configuration = folder / "config.yaml"
        lines = _CONFIGURATION.format(model=MODEL, upstream_url=upstream_url)
        configuration.write_text(lines + self._more)
        port = free_port()
        command = [str(self._program), "--config", str(configuration), "--host", "127.0.0.1"]
        server = spawn(
            [*command, "--port", str(port), "--num_workers", "1"],
            folder=folder,
            environment={
                "LITELLM_MASTER_KEY": _KEY,
                "LITELLM_MODE": "PRODUCTION",
                "LITELLM_LOG": "ERROR",
                # Without this it tries to fetch the price list from the network at each start.
                "LITELLM_LOCAL_MODEL_COST_MAP": "True",
            },
            cores=cores,
        )
        return Running(
            url=f"http://127.0.0.1:{port}/v1/chat/completions",
            headers={"Authorization": f"Bearer {_KEY}"},
            server=server,
        )
