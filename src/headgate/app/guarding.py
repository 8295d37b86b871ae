"""Puts the guards together, where the configuration has any."""

from __future__ import annotations

from pathlib import Path

from headgate.checks.redaction.sealing import Seal
from headgate.config.settings import Settings
from headgate.gateway.guards import GuardsInCalls
from headgate.gateway.hidden_values import HiddenValues
from headgate.gateway.moderator import GatewayModerator
from headgate.storage import Database
from headgate.storage.threads import StorageThreads
from headgate.telemetry.guard_metrics import GuardMetrics


def build_guards(
    settings: Settings,
    folder: Path | None,
    key: bytes,
    moderator: GatewayModerator,
    database: Database,
    threads: StorageThreads,
    metrics: GuardMetrics,
) -> GuardsInCalls | None:
    """The guards of a server; None where it has none. `key`, 32 bytes, is secret and lasts."""
    if not settings.guard_policies:
        return None
    # Here, because what finds personal data takes 30 MB, which only those who use it should pay.
    from headgate.checks.guards.building import Means, build_policies  # noqa: PLC0415

    means = Means(key, moderator, folder)
    policies = build_policies(settings.guards, settings.guard_policies, means)
    if policies is None:
        return None
    return GuardsInCalls(policies, HiddenValues(database, threads, Seal(key)), metrics)


def untrusted_projects(settings: Settings) -> frozenset[str]:
    """The projects whose direct calls carry content from outside."""
    return frozenset(
        name for name, project in settings.projects.items() if project.trust == "untrusted"
    )
