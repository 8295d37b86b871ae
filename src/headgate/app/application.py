"""One worker, put together: it is started, serves, and is stopped, each in the order it must."""

from __future__ import annotations

import asyncio
import atexit
import logging
import os
import signal
from collections.abc import Callable
from contextlib import suppress

from starlette.responses import RedirectResponse
from starlette.types import ASGIApp

from headgate.app.accounting import Accounting
from headgate.app.alerting import Alerting
from headgate.app.durability import Durability
from headgate.app.garbage import keep_what_is_here
from headgate.app.reviewing import Reviewing
from headgate.app.tooling import Tooling
from headgate.app.tracing import Tracing
from headgate.gateway.commitments.watch import CommitmentWatch
from headgate.gateway.gateway import Gateway
from headgate.gateway.keys.probe import KeyProbe
from headgate.gateway.objects.items import ResponseItems
from headgate.intake.access.authentication import Authenticator
from headgate.intake.http.admin import AdminApp
from headgate.intake.http.objects_surface import ObjectsSurface
from headgate.intake.http.openai_surface import OpenAISurface
from headgate.intake.http.request_body import Receive, Scope, Send
from headgate.intake.sockets.surface import SocketSurface
from headgate.ledger.prices import PriceList
from headgate.ledger.rollups.task import RollupTask
from headgate.ledger.writer import LedgerWriter
from headgate.storage import Database
from headgate.storage.threads import StorageThreads
from headgate.telemetry.metrics import Metrics
from headgate.workflows.runner import Runner

_log = logging.getLogger(__name__)

_GAUGES_EVERY_S = 0.5
_FLUSH_AT_STOP_S = 10.0
_QUIET_S = 3.0
_LAST_TRACES_S = 3.0

_CONSOLE = "/console"


def _is_of_console(path: str) -> bool:
    return path == _CONSOLE or path.startswith(f"{_CONSOLE}/")


class Application:
    """One worker: an ASGI application that is started, serves, and is stopped."""

    def __init__(
        self,
        *,
        surface: OpenAISurface,
        objects: ObjectsSurface,
        sockets: SocketSurface,
        object_threads: StorageThreads,
        reviewing: Reviewing,
        response_items: ResponseItems,
        admin: AdminApp,
        make_console: Callable[[], ASGIApp] | None,
        console_threads: StorageThreads,
        rollups: RollupTask,
        gateway: Gateway,
        key_probe: KeyProbe,
        watch: CommitmentWatch,
        authenticator: Authenticator,
        runner: Runner,
        writer: LedgerWriter,
        metrics: Metrics,
        prices: PriceList,
        database: Database,
        accounting: Accounting | None,
        tracing: Tracing | None,
        alerting: Alerting,
        durability: Durability,
        tooling: Tooling,
        parent_pid: int | None,
    ) -> None:
        self._parent_pid = parent_pid
        self._surface = surface
        self._endpoints = surface.endpoints
        self._objects = objects
        self._sockets = sockets
        self._object_threads = object_threads
        self._reviewing = reviewing
        self._response_items = response_items
        self._admin = admin
        self._make_console = make_console
        self._console: ASGIApp | None = None
        self._console_threads = console_threads
        self._rollups = rollups
        self._gateway = gateway
        self._key_probe = key_probe
        self._watch = watch
        self._authenticator = authenticator
        self.runner = runner
        self._writer = writer
        self._metrics = metrics
        self._prices = prices
        self._database = database
        self._accounting = accounting
        self._tracing = tracing
        self._alerting = alerting
        self._durability = durability
        self._tooling = tooling
        self._gauges: asyncio.Task[None] | None = None
        self.on_stopped: Callable[[], None] | None = None
        """Called once nothing is left to keep."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or the life span of the worker."""
        if scope["type"] == "http":
            endpoint = self._endpoints.get(scope["path"])
            if endpoint is not None and scope["method"] == "POST":
                await self._surface.serve(endpoint, scope, receive)
            elif (found := self._objects.find(scope["method"], scope["path"])) is not None:
                await self._objects.serve(found, scope, receive)
            elif self._make_console is not None and _is_of_console(scope["path"]):
                if self._console is None:
                    self._console = self._make_console()
                await self._console(scope, receive, send)
            elif self._make_console is not None and scope["path"] == "/":
                # Whoever opens the address that the start printed is a person.
                await RedirectResponse(_CONSOLE)(scope, receive, send)
            else:
                await self._admin(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._sockets.serve(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._live(receive, send)

    async def start(self) -> None:
        """Begin to serve. Raises `DatabaseUnavailableError`."""
        self._writer.start()
        if self._tracing is not None:
            self._tracing.tracer.start()
        await self._authenticator.start()
        if self._accounting is not None:
            self._accounting.start()
        self._alerting.start()
        self._durability.start()
        self._key_probe.start()
        self._response_items.start()
        self._watch.start()
        self._reviewing.start()
        self._rollups.start()
        if self._gateway.cache is not None:
            await self._gateway.cache.keeper.start()
        # A second Ctrl-C ends a server without `stop`; the records are written all the same.
        atexit.register(self._writer.close, _FLUSH_AT_STOP_S)
        # The price list takes a third of a second to load, which no call should wait for.
        await asyncio.to_thread(self._prices.load)
        keep_what_is_here()
        self._gauges = asyncio.create_task(self._note_state(), name="headgate-gauges")

    async def stop(self) -> None:
        """End what the server still does and write every record; nothing may be served after."""
        await self._durability.stop()
        await self._until_quiet()
        if self._gauges is not None:
            self._gauges.cancel()
            with suppress(asyncio.CancelledError):
                await self._gauges
        await self._authenticator.stop()
        await self._key_probe.stop()
        await self._response_items.stop()
        await self._watch.stop()
        await self._reviewing.stop()
        await self._rollups.stop()
        if self._accounting is not None:
            await self._accounting.stop()
        await self._alerting.stop()
        if self._gateway.cache is not None:
            await self._gateway.cache.keeper.stop()
        for provider in self._gateway.routing.providers.values():
            await provider.close()
        await self.runner.connectors.close()
        left = await asyncio.to_thread(self._writer.close, _FLUSH_AT_STOP_S)
        if left:
            _log.error("records could not be written before the stop", extra={"records": left})
        atexit.unregister(self._writer.close)
        if self._tracing is not None:
            await asyncio.to_thread(self._tracing.tracer.close, _LAST_TRACES_S)
        await self._admin.stop()
        self.runner.threads.close()
        await self._tooling.close()
        self._object_threads.close()
        self._console_threads.close()
        self._database.close()

    async def _until_quiet(self) -> None:
        """Wait for calls that were just cancelled to say so in their records."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_QUIET_S):
                while (  # noqa: ASYNC110 - looked at once, at the end
                    self._gateway.in_flight or self._objects.in_flight or self._sockets.sessions
                ):
                    await asyncio.sleep(0.01)

    async def _note_state(self) -> None:
        while True:
            self._metrics.note_state(
                in_flight=self._gateway.in_flight + self._objects.in_flight,
                lag_s=self._writer.lag_s,
                waiting_records=self._writer.pending,
                dead_records=self._writer.dead_records,
                unrecorded_calls=self._writer.unrecorded,
            )
            self._metrics.note_websockets(self._sockets.sessions)
            if self._accounting is not None:
                self._accounting.note(self._metrics.allowances)
            self._durability.note(self._metrics.runs)
            if (cache := self._gateway.cache) is not None:
                memory = cache.memory
                self._metrics.note_cache(entries=len(memory), size_bytes=memory.size_bytes)
            if self._parent_pid is not None and os.getppid() != self._parent_pid:
                # Whoever started this worker was killed; nobody else would ever stop it.
                _log.error("the server's main process has gone; this worker stops")
                signal.raise_signal(signal.SIGTERM)
                return
            await asyncio.sleep(_GAUGES_EVERY_S)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            await self.start()
        except Exception as error:  # noqa: BLE001 - the server says why and does not start
            _log.error("the worker could not start", extra={"reason": str(error)})
            await send({"type": "lifespan.startup.failed", "message": str(error)})
            return
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self.stop()
        if self.on_stopped is not None:
            self.on_stopped()
        await send({"type": "lifespan.shutdown.complete"})
