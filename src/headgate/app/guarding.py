"""Puts the guards together, where the configuration has any."""

from __future__ import annotations

from headgate.checks.guards.building import build_policies
from headgate.config.settings import Settings
from headgate.gateway.guards import GuardsInCalls
from headgate.gateway.moderator import GatewayModerator


def build_guards(
    settings: Settings, key: bytes, moderator: GatewayModerator
) -> GuardsInCalls | None:
    """The guards of a server; None where it has none. `key` is secret and lasts."""
    policies = build_policies(
        settings.guards, settings.guard_policies, key=key, moderator=moderator
    )
    return None if policies is None else GuardsInCalls(policies)


def untrusted_projects(settings: Settings) -> frozenset[str]:
    """The projects whose direct calls carry content from outside."""
    return frozenset(
        name for name, project in settings.projects.items() if project.trust == "untrusted"
    )
