"""The administrative application: every endpoint that is not the hot path's, in one ASGI app."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from starlette.types import ASGIApp, Receive, Scope, Send

from headgate.config.settings import ServerSettings
from headgate.errors import DatabaseUnavailableError
from headgate.intake.access.authentication import Authenticator
from headgate.intake.access.keys import KeyStore
from headgate.intake.access.networks import TrustedProxies, parse_lenient_network
from headgate.intake.access.projects import ProjectStore
from headgate.intake.http.calls_api import CallsApi
from headgate.intake.http.config_api import ConfigApi
from headgate.intake.http.endpoint import Endpoint
from headgate.intake.http.health_api import HealthApi, Probe
from headgate.intake.http.keys_api import KeysApi
from headgate.intake.http.projects_api import ProjectsApi
from headgate.intake.http.routes import Gatekeeper, routed
from headgate.intake.http.usage_api import UsageApi
from headgate.storage import Database
from headgate.storage.threads import StorageThreads

_REFRESH_TIMEOUT_S = 2.0


class Services(msgspec.Struct, frozen=True, kw_only=True):
    """What the administrative application needs, handed in by whoever composes it."""

    database: Database
    keys: KeyStore
    projects: ProjectStore
    authenticator: Authenticator
    trusted_proxies: TrustedProxies
    settings: ServerSettings
    probes: Mapping[str, Probe]
    """What `/readyz` asks, by name."""
    render_metrics: Callable[[], bytes]
    metrics_media_type: str
    effective_config: Callable[[], Any]
    """The policy as understood, secrets masked, ready for JSON."""
    more_endpoints: tuple[Endpoint, ...] = ()
    """Other rooms' endpoints: workflows, runs, models; and the hot path's, without handlers."""


class AdminApp:
    """An ASGI application; `stop()` it after the last request."""

    def __init__(self, services: Services) -> None:
        self._authenticator = services.authenticator
        self._threads = StorageThreads("api")
        self._health = HealthApi(
            services.probes,
            render_metrics=services.render_metrics,
            metrics_media_type=services.metrics_media_type,
            metrics_open_to=tuple(
                parse_lenient_network(network) for network in services.settings.metrics_open_to
            ),
        )
        self.endpoints: tuple[Endpoint, ...] = (
            *KeysApi(services.keys, self._threads, self.changed).endpoints(),
            *ProjectsApi(services.projects, self._threads, self.changed).endpoints(),
            *UsageApi(services.database, self._threads).endpoints(),
            *CallsApi(services.database, self._threads).endpoints(),
            *ConfigApi(services.effective_config, lambda: self.endpoints).endpoints(),
            *self._health.endpoints(),
            *services.more_endpoints,
        )
        """Everything this server answers, for the reference and the role tests."""
        self._application: ASGIApp = routed(
            self.endpoints,
            Gatekeeper(
                authenticator=services.authenticator,
                trusted_proxies=services.trusted_proxies,
                max_body_bytes=services.settings.max_body_bytes,
                client_idle_s=services.settings.client_idle_s,
            ),
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        await self._application(scope, receive, send)

    async def stop(self) -> None:
        """End the threads and the probes."""
        await self._health.stop()
        self._threads.close()

    async def changed(self) -> None:
        """Have this process see a change to keys or projects at once, if it can."""
        # The change is committed; if the database went away since, the poll will see it later.
        with contextlib.suppress(DatabaseUnavailableError, TimeoutError):
            async with asyncio.timeout(_REFRESH_TIMEOUT_S):
                await self._authenticator.refresh()
