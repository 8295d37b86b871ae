"""The guard that looks for instructions in texts that an attacker may have written.

Texts of the operator's, and of users whom the operator trusts, are left as they are.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from headgate.checks.guards.doubtful import is_doubtful
from headgate.checks.guards.guard import Guard, Guarded
from headgate.checks.guards.verdict import PASS, Verdict
from headgate.checks.injection import spotlight
from headgate.checks.injection.detector import examine
from headgate.checks.injection.spotlight import Spotlit
from headgate.checks.injection.verdict import Verdict as Finding
from headgate.checks.injection.verdict import stripped
from headgate.checks.parts.part import Part
from headgate.config.guards import InjectionSettings

_IN_THREAD_CHARACTERS = 500
"""Longer texts are read in a thread: a kilobyte takes a millisecond or more."""


class InjectionGuard(Guard):
    """Detects, and spotlights."""

    def __init__(self, name: str, settings: InjectionSettings, **common: Any) -> None:
        super().__init__(name, **common)
        self._settings = settings

    async def check_input(self, parts: Sequence[Part], call: Guarded) -> Verdict:
        """See `Guard`."""
        doubtful = [part for part in parts if is_doubtful(part, call)]
        if not doubtful:
            return PASS
        worst = PASS
        for part in doubtful:
            finding = await _examined(part.text)
            if finding.score < self._settings.threshold:
                continue
            if self._settings.on_hit == "strip":
                part.text = stripped(part.text, finding)
            decision = "change" if self._settings.on_hit == "strip" else self._settings.on_hit
            worst = worst.joined(
                Verdict(
                    decision,
                    reason=", ".join(finding.families)[:64] or "injection",
                    score=finding.score,
                    counts={"injection": 1},
                    message=self._settings.message,
                )
            )
        if worst.decision != "block":
            self._set_apart(doubtful, call)
        return worst

    def _set_apart(self, parts: Sequence[Part], call: Guarded) -> None:
        """Make the texts stand out, and have the instructions say how."""
        technique = self._settings.spotlight
        if technique == "none":
            return
        token = spotlight.new_token()
        marker = spotlight.new_marker("".join(part.text for part in parts))
        for part in parts:
            if part.in_json:
                continue
            shown: Spotlit
            if technique == "fence":
                shown = spotlight.fence(part.text, token)
            elif technique == "datamark":
                shown = spotlight.datamark(part.text, marker)
            else:
                shown = spotlight.encode(part.text)
            part.text = shown.text
            if shown.instruction not in call.instructions:
                call.instructions.append(shown.instruction)


async def _examined(text: str) -> Finding:
    if len(text) > _IN_THREAD_CHARACTERS:
        return await asyncio.to_thread(examine, text)
    return examine(text)
