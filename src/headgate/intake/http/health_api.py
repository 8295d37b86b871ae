"""`/healthz`, `/readyz`, `/metrics`: whether this server runs, can work, and how it fares."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Literal

import msgspec

from headgate.errors import HeadgateError
from headgate.intake.access.networks import Network
from headgate.intake.http.endpoint import ApiReply, ApiRequest, Endpoint
from headgate.intake.http.errors import log_fault
from headgate.storage import Database

Probe = Callable[[], Awaitable[None]]
"""Returns if a part can work, raises `HeadgateError` with the reason if not."""

_PROBE_TIMEOUT_S = 2.0


class CheckView(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one probe found."""

    ok: bool
    message: str | None = None


class ReadinessView(msgspec.Struct, frozen=True):
    """Whether the server can work, and what each probe found."""

    status: Literal["ready", "not_ready"]
    checks: dict[str, CheckView]


class HealthView(msgspec.Struct, frozen=True):
    """The process runs and its event loop turns."""

    status: Literal["ok"] = "ok"


class HealthApi:
    """Handlers over the probes and the metrics that are handed in."""

    def __init__(
        self,
        probes: Mapping[str, Probe],
        *,
        render_metrics: Callable[[], bytes],
        metrics_media_type: str,
        metrics_open_to: tuple[Network, ...],
    ) -> None:
        self._probes = probes
        self._render_metrics = render_metrics
        self._metrics_media_type = metrics_media_type
        self._metrics_open_to = metrics_open_to
        self._running: dict[str, asyncio.Task[None]] = {}

    def endpoints(self) -> tuple[Endpoint, ...]:
        """What this API serves."""
        return (
            Endpoint(
                method="GET", path="/healthz", permission=None, tag="health",
                summary="Whether the process runs", handler=self.health, response=HealthView,
            ),
            Endpoint(
                method="GET", path="/readyz", permission=None, tag="health",
                summary="Whether calls can be served; 503 where not", handler=self.readiness,
                response=ReadinessView,
            ),
            Endpoint(
                method="GET", path="/metrics", permission="metrics.read", tag="health",
                summary="Figures in Prometheus form", handler=self.metrics,
                open_to=self._metrics_open_to,
            ),
        )  # fmt: skip

    async def stop(self) -> None:
        """Cancel the probes that still run."""
        tasks = list(self._running.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def health(self, _request: ApiRequest) -> ApiReply:
        """`GET /healthz`."""
        return ApiReply(body=HealthView())

    async def readiness(self, _request: ApiRequest) -> ApiReply:
        """`GET /readyz`."""
        names = list(self._probes)
        found = await asyncio.gather(*(self._check(name) for name in names))
        ready = all(check.ok for check in found)
        return ApiReply(
            status=200 if ready else 503,
            body=ReadinessView(
                "ready" if ready else "not_ready", dict(zip(names, found, strict=True))
            ),
        )

    async def metrics(self, _request: ApiRequest) -> ApiReply:
        """`GET /metrics`."""
        # Rendering reads the other processes' figures too, so it is no work for the event loop.
        body = await asyncio.to_thread(self._render_metrics)
        return ApiReply(body=body, media_type=self._metrics_media_type)

    async def _check(self, name: str) -> CheckView:
        # One run of a probe at a time, whoever asks: a database that hangs must not be handed a
        # thread with every look at it.
        task = self._running.get(name)
        if task is None:
            task = asyncio.create_task(_run(self._probes[name]), name=f"headgate-probe-{name}")
            self._running[name] = task
            task.add_done_callback(lambda _: self._running.pop(name, None))
        try:
            async with asyncio.timeout(_PROBE_TIMEOUT_S):
                await asyncio.shield(task)
        except HeadgateError as error:
            return CheckView(ok=False, message=error.message)
        except TimeoutError:
            return CheckView(ok=False, message=f"no answer within {_PROBE_TIMEOUT_S:g} s")
        except Exception as error:  # noqa: BLE001 - a broken probe is an answer too
            log_fault("readiness probe failed", error, probe=name)
            return CheckView(ok=False, message="the probe itself failed; see the log")
        return CheckView(ok=True)


async def _run(probe: Probe) -> None:
    await probe()


def database_probe(database: Database) -> Probe:
    """A probe that asks whether the database answers."""

    async def probe() -> None:
        await asyncio.to_thread(database.ping)

    return probe
