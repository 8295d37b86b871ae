"""Puts the guards together, where the configuration has any."""

from __future__ import annotations

from pathlib import Path

import msgspec

from headgate.checks.redaction.sealing import Seal
from headgate.config.settings import Settings
from headgate.gateway.alarms import Alarms
from headgate.gateway.forms import SpoolRoom
from headgate.gateway.guarded_files.files import GuardedFiles
from headgate.gateway.guarded_files.line_notes import LineNotes
from headgate.gateway.guards import GuardsInCalls
from headgate.gateway.hidden_values import HiddenValues
from headgate.gateway.judging.judge import GatewayJudge
from headgate.gateway.kept_answers import KeptAnswers
from headgate.gateway.objects.guards import GuardsAtObjects
from headgate.gateway.own_calls.moderator import GatewayModerator
from headgate.storage import Database
from headgate.storage.threads import StorageThreads
from headgate.telemetry.guard_metrics import GuardMetrics


class Guards(msgspec.Struct, frozen=True):
    """The guards of a server, wherever they stand."""

    calls: GuardsInCalls
    objects: GuardsAtObjects
    files: GuardedFiles


def build_guards(
    settings: Settings,
    folder: Path | None,
    key: bytes,
    moderator: GatewayModerator,
    judge: GatewayJudge,
    database: Database,
    threads: StorageThreads,
    metrics: GuardMetrics,
    room: SpoolRoom,
    alarms: Alarms,
) -> Guards | None:
    """The guards of a server; None where it has none.

    `key`, 32 bytes, is secret and lasts; forms wait in `room`.
    """
    if not settings.guard_policies:
        return None
    # Here, because what finds personal data takes 30 MB, which only those who use it should pay.
    from headgate.checks.guards.building import Means, build_policies  # noqa: PLC0415

    means = Means(key, moderator, judge, folder)
    policies = build_policies(settings.guards, settings.guard_policies, means)
    if policies is None:
        return None
    seal = Seal(key)
    hidden = HiddenValues(database, threads, seal)
    notes = LineNotes(database, threads, seal)
    files = GuardedFiles(
        policies,
        hidden,
        notes,
        room,
        max_line_bytes=settings.server.max_body_bytes,
    )
    kept = KeptAnswers(policies, hidden, notes)
    calls = GuardsInCalls(policies, hidden, kept, metrics, alarms)
    return Guards(calls, GuardsAtObjects(calls, policies, hidden), files)


def untrusted_projects(settings: Settings) -> frozenset[str]:
    """The projects whose direct calls carry content from outside."""
    return frozenset(
        name for name, project in settings.projects.items() if project.trust == "untrusted"
    )
