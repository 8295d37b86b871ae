"""The simulator on a real socket: in a thread of a test's process, or as a process of its own."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import threading
from collections.abc import Callable, Generator, Iterator
from typing import Any, cast

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from headgate.simulator.application import Simulator
from headgate.simulator.config import SimulatorConfig
from headgate.simulator.observation import ObservedRequest
from headgate.simulator.sockets.protocol import socket_protocol
from headgate.simulator.wire.delivery import TRANSPORT

BACKLOG = 2_048
"""How many connections may wait to be accepted."""

START_TIMEOUT_S = 10.0
"""How long a start in a thread may take."""


class _Protocol(HttpToolsProtocol):
    """uvicorn's protocol, which also hands over its transport, so that faults can reset it."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        scope: Any = self.scope
        scope["extensions"] = {TRANSPORT: self.transport}


class _Server(uvicorn.Server):
    """uvicorn's server, which stops at once when it is told to and tells when it is ready."""

    def __init__(
        self, simulator: Simulator, on_ready: Callable[[], None], *, handle_signals: bool
    ) -> None:
        super().__init__(
            uvicorn.Config(
                simulator,
                http=_Protocol,
                ws=cast("type[asyncio.Protocol]", socket_protocol),
                ws_per_message_deflate=False,
                lifespan="on",
                loop="uvloop",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                backlog=BACKLOG,
                timeout_graceful_shutdown=1,
                timeout_keep_alive=75,
            )
        )
        self._simulator = simulator
        self._on_ready = on_ready
        self._handle_signals = handle_signals
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop = asyncio.Event()

    def stop(self) -> None:
        """End the server; may be called from any thread, and more than once."""
        self.should_exit = True
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._stop.set)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        if self._handle_signals:
            for number in (signal.SIGINT, signal.SIGTERM):
                self._loop.add_signal_handler(number, self.stop)
        await super().startup(sockets)
        await self.on_tick(0)
        self._on_ready()

    async def main_loop(self) -> None:
        # uvicorn looks ten times a second whether it should stop; this waits to be told, and
        # ticks once a second only for the date header.
        while not self.should_exit:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), 1)
            await self.on_tick(0)
        self._simulator.closing.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        # The signals are handled in `startup`, and not raised again: `run` returns instead.
        yield


class SimulatorHandle:
    """A simulator that runs in its own thread."""

    def __init__(self, config: SimulatorConfig) -> None:
        """Raises `OSError` where the port is taken."""
        self.simulator = Simulator(config)
        self._socket = _bound_socket(config)
        self.base_url = _base_url(self._socket)
        """The address for SDKs, such as `http://127.0.0.1:41234/v1`."""
        self._ready = threading.Event()
        self._server = _Server(self.simulator, self._ready.set, handle_signals=False)
        self._thread = threading.Thread(
            target=self._server.run, args=([self._socket],), name="simulator", daemon=True
        )
        self._thread.start()
        if not self._ready.wait(START_TIMEOUT_S):
            self._server.stop()
            raise RuntimeError("the simulator didn't start")

    @property
    def requests(self) -> list[ObservedRequest]:
        """What was asked so far, oldest first."""
        return self.simulator.observations.all()

    def close(self) -> None:
        """Stop the server and wait for its thread; a second call does nothing."""
        self._server.stop()
        self._thread.join(START_TIMEOUT_S)
        self._socket.close()


@contextlib.contextmanager
def serve_in_thread(config: SimulatorConfig | None = None) -> Iterator[SimulatorHandle]:
    """A simulator on a free port (or the configured one), as long as the block runs."""
    handle = SimulatorHandle(config or SimulatorConfig())
    try:
        yield handle
    finally:
        handle.close()


def run(config: SimulatorConfig, on_ready: Callable[[str], None] | None = None) -> None:
    """Serve until SIGINT or SIGTERM; `on_ready` is called with the base URL once it listens.

    Must run in the main thread. Raises `OSError` where the port is taken, and `ValueError` for
    faults or a script that can't be used.
    """
    simulator = Simulator(config)
    listening = _bound_socket(config)
    base_url = _base_url(listening)

    def ready() -> None:
        if on_ready is not None:
            on_ready(base_url)

    try:
        _Server(simulator, ready, handle_signals=True).run([listening])
    finally:
        listening.close()


def _bound_socket(config: SimulatorConfig) -> socket.socket:
    family = socket.AF_INET6 if ":" in config.host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((config.host, config.port))
    except OSError:
        listening.close()
        raise
    return listening


def _base_url(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{port}/v1"
