"""What a server is to be, read from the file and the environment before anything is started."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import msgspec

from headgate.config import environment
from headgate.config.load import load_settings
from headgate.config.settings import ProviderSettings, Settings
from headgate.config.trace_plan import TracePlan, trace_plan
from headgate.errors import ConfigError
from headgate.gateway.objects.allowed import AllowedPaths
from headgate.gateway.upstream import Origin

SIMULATOR_URL = "HEADGATE_SIMULATOR_URL"
"""Where a server's own simulator listens; the server tells its workers by this variable."""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What a server is to be."""

    settings: Settings
    folder: Path | None
    database_url: str
    secret_key: str | None
    providers: Mapping[str, ProviderSettings]
    simulated: frozenset[str]
    """The providers that the simulator stands in for."""
    traces: TracePlan | None = None
    """How it traces; None: not at all."""


def read_plan(argument: Path | None, variables: Mapping[str, str] = os.environ) -> Plan:
    """The plan for the folder that `argument` or the environment names. Raises `ConfigError`.

    Providers that need the simulator get its address from `HEADGATE_SIMULATOR_URL`, where set.
    """
    folder = environment.project_folder(argument, variables)
    settings = load_settings(folder, variables)
    providers = environment.providers(settings, variables)
    simulated = frozenset(n for n, p in providers.items() if environment.needs_simulator(p))
    if address := variables.get(SIMULATOR_URL):
        providers |= {
            name: msgspec.structs.replace(
                providers[name], base_url=address, api_key="sk-simulated", price_provider="openai"
            )
            for name in simulated
        }
    for name, provider in providers.items():
        try:
            Origin.parse(provider.base_url)
        except ValueError as error:
            raise ConfigError(f"the address of the provider `{name}`: {error}") from None
    AllowedPaths(settings.endpoints.allow).check(folder)
    keeper = settings.endpoints.provider
    if keeper is not None and keeper not in providers:
        raise ConfigError(
            f"endpoints.provider: there is no provider `{keeper}`; there is {', '.join(providers)}"
        )
    for name, route in settings.routes.items():
        for target in route.every_target:
            if target.provider not in providers:
                raise ConfigError(
                    f"routes.{name}: there is no provider `{target.provider}`; there is"
                    f" {', '.join(providers)}"
                )
    traces = trace_plan(settings.traces, variables)
    for name in traces.propagate_to if traces is not None else ():
        if name not in providers:
            raise ConfigError(
                f"traces.propagate_to: there is no provider `{name}`; there is"
                f" {', '.join(providers)}"
            )
    return Plan(
        settings=settings,
        folder=folder,
        database_url=environment.database_url(folder, settings, variables),
        secret_key=variables.get("HEADGATE_SECRET_KEY") or None,
        providers=providers,
        simulated=simulated,
        traces=traces,
    )
