"""Real MCP servers for tests, as processes, and Headgate's tools in front of them."""

from __future__ import annotations

import asyncio
import atexit
import os
import signal
import socket
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from forks import Forks, Process
from headgate.config.tools import McpToolSource, ToolSource
from headgate.workflows.tools.mcp_tools import mcp_tools
from headgate.workflows.tools.tool import Tool, ToolAnswer, ToolCall

SCRIPT = str(Path(__file__).with_name("mcp_helpdesk.py"))
START_TIMEOUT_S = 30.0

_forks = Forks("mcp.server.mcpserver", "uvicorn", "starlette.responses")
"""Those that speak HTTP are forks: the official SDK takes most of a second to import."""
atexit.register(_forks.close)


class Helpdesk:
    """The server of `mcp_helpdesk.py`: its folder, and its process where it speaks HTTP."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = _free_port()
        self._process: Process | None = None
        self._options: tuple[str, ...] = ()

    @property
    def command(self) -> list[str]:
        """How it is started to speak over its standard input."""
        return [sys.executable, SCRIPT, str(self.folder)]

    @property
    def url(self) -> str:
        """Where it speaks HTTP."""
        return f"http://127.0.0.1:{self.port}/mcp"

    def describe(self, text: str) -> None:
        """What it says of `lookup` from its next start on."""
        (self.folder / "description").write_text(text, "utf-8")

    def did(self) -> list[str]:
        """What it has done, in all its processes."""
        with suppress(FileNotFoundError):
            return (self.folder / "did").read_text("utf-8").splitlines()
        return []

    async def until_it_did(self, what: str) -> None:
        """Wait until it has done something."""
        async with asyncio.timeout(10):
            while what not in self.did():
                await asyncio.sleep(0.02)

    def start(self, *options: str) -> None:
        """Have it speak HTTP."""
        self._options = options
        self._process = _forks.start(
            [*self.command[1:], str(self.port), *options], folder=self.folder, env=os.environ
        )
        ends_at = time.monotonic() + START_TIMEOUT_S
        while True:
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return
            assert self._process.poll() is None, "the MCP server has ended"
            assert time.monotonic() < ends_at, "the MCP server does not start"
            time.sleep(0.05)

    def restart(self) -> None:
        """Kill it, and start it again at the same place."""
        self.stop()
        self.start(*self._options)

    def stop(self) -> None:
        """Kill it."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            self._process = None


def source_of(**fields: Any) -> McpToolSource:
    """A source as `headgate.yaml` gives it; `tools` may be a list of names."""
    if isinstance(tools := fields.get("tools"), list):
        fields["tools"] = {name: {} for name in tools}
    source = msgspec.convert({"kind": "mcp", **fields}, ToolSource)
    assert isinstance(source, McpToolSource)
    return source


def tools_of(**fields: Any) -> dict[str, Tool]:
    """The tools of a source called `helpdesk`."""
    return mcp_tools("helpdesk", source_of(**fields))


async def called(tool: Tool, timeout_s: float = 20.0, **arguments: Any) -> ToolAnswer:
    """What comes of one call."""
    call = ToolCall(key="run_1/tool/1", timeout_s=timeout_s, run_id="run_1")
    return await tool.call(arguments, call)


def children() -> set[int]:
    """The processes that this one has started and that live, but for the one that forks."""
    found = set()
    for entry in Path("/proc").iterdir():
        with suppress(OSError, ValueError):
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
            if int(fields[1]) == os.getpid() and fields[0] != "Z":
                found.add(int(entry.name))
    return found - {_forks.pid}


def running(desk: Helpdesk) -> list[int]:
    """The processes of a helpdesk, whoever started them."""
    found = []
    for entry in Path("/proc").iterdir():
        with suppress(OSError):
            words = (entry / "cmdline").read_bytes().split(b"\0")
            if SCRIPT.encode() in words and str(desk.folder).encode() in words:
                found.append(int(entry.name))
    return found


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
