"""Builds guards from their settings: the one place that knows every kind."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from unicodedata import normalize

import msgspec

from headgate.checks.clean_texts import Remembering
from headgate.checks.detection import Detector, Engine, engine_for
from headgate.checks.guards.as_read import AsRead
from headgate.checks.guards.canary import CanaryGuard
from headgate.checks.guards.custom import custom_guard
from headgate.checks.guards.guard import Guard
from headgate.checks.guards.injection import InjectionGuard
from headgate.checks.guards.links import LinksGuard
from headgate.checks.guards.moderation import ModerationGuard, Moderator
from headgate.checks.guards.panel import InjectionJudge
from headgate.checks.guards.policy import GuardPolicies
from headgate.checks.guards.redact import RedactGuard
from headgate.checks.guards.schema import SchemaGuard
from headgate.checks.guards.tools import ToolsGuard
from headgate.checks.guards.words import WordsGuard
from headgate.checks.injection.links.destination import AllowedLinks
from headgate.checks.injection.rights import ToolRights
from headgate.checks.redaction.hiding import Hiding
from headgate.config.detection import OwnPatternSettings
from headgate.config.guards import (
    GuardPolicySettings,
    GuardSettings,
    LinksSettings,
    RedactSettings,
    ToolsSettings,
    WordsSettings,
)


class Means(msgspec.Struct, frozen=True):
    """What guards need of the server that they stand in."""

    key: bytes
    """Secret, and lasts: hashes and stand-ins are drawn from it."""
    moderator: Moderator | None = None
    judge: InjectionJudge | None = None
    folder: Path | None = None
    """The project's, with the files of its own guards."""


def build_policies(
    guards: Mapping[str, GuardSettings],
    policies: Mapping[str, GuardPolicySettings],
    means: Means,
) -> GuardPolicies | None:
    """The guards and policies of a server; None where it has none. Raises `ConfigError`."""
    if not policies:
        return None
    built = {name: _built(name, settings, means) for name, settings in guards.items()}
    return GuardPolicies(policies, built, guards)


def _built(name: str, settings: GuardSettings, means: Means) -> Guard:
    common: dict[str, Any] = {
        "directions": settings.directions,
        "on_error": settings.on_error,
        "timeout_s": settings.timeout_s,
        "unreadable": settings.unreadable,
    }
    if settings.redact is not None:
        return RedactGuard(name, _hiding(settings.redact, means.key), **common)
    if settings.words is not None:
        words = settings.words
        return WordsGuard(
            name, _words_engine(words), on_hit=words.on_hit, message=words.message, **common
        )
    if settings.moderation is not None and means.moderator is not None:
        return ModerationGuard(name, means.moderator, settings.moderation, **common)
    if settings.injection is not None:
        return InjectionGuard(name, settings.injection, means.judge, **common)
    if settings.canary is not None:
        return CanaryGuard(name, **common)
    if settings.links is not None:
        return LinksGuard(name, _allowed(settings.links), **common)
    if settings.tools is not None:
        return ToolsGuard(name, _rights(settings.tools), **common)
    if settings.schema is not None:
        return SchemaGuard(name, settings.schema, **common)
    if settings.custom is not None:
        return custom_guard(name, settings.custom, means.folder, common)
    raise AssertionError(f"the guard {name} has no kind: config.load lets none such by")


def _allowed(settings: LinksSettings) -> AllowedLinks:
    return AllowedLinks(
        hosts=settings.hosts,
        image_hosts=settings.image_hosts,
        max_query_chars=settings.max_query_characters,
        mail=settings.mail,
    )


def _rights(settings: ToolsSettings) -> list[ToolRights]:
    return [
        ToolRights(name, tool.effect, frozenset(tool.trusted_with))
        for name, tool in settings.rights.items()
    ]


def _hiding(settings: RedactSettings, key: bytes) -> Hiding:
    return Hiding(Remembering(engine_for(settings.find)), settings.mode, settings.modes, key=key)


def _words_engine(settings: WordsSettings) -> Engine:
    own = [
        OwnPatternSettings(name=f"pattern{number}", pattern=pattern)
        for number, pattern in enumerate(settings.patterns)
    ]
    if settings.words:
        # As texts are read: in the one form that Unicode has for a letter, with single spaces.
        words = tuple(" ".join(normalize("NFC", word).split()) for word in settings.words)
        own.append(OwnPatternSettings(name="words", words=words, ignore_case=settings.ignore_case))
    return Remembering(AsRead(Detector((), (), own)))
