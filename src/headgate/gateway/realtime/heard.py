"""What guards make of words that were said aloud: they come in writing after the model heard them.

So nothing can be kept back; what a guard would have stopped is noted as a flag.
"""

from __future__ import annotations

import contextlib
from typing import Any, Final

import msgspec

from headgate.checks.guards.guarding import Guarding
from headgate.checks.guards.report import GuardRecord
from headgate.checks.parts.part import Part
from headgate.errors import ContentBlockedError, GuardFailedError


class Heard:
    """One thing that a user said."""

    KIND: Final = "conversation.item.input_audio_transcription.completed"
    """The event that tells it whole."""

    def __init__(self, guarding: Guarding) -> None:
        """`guarding` is of this alone: what it learns is not to be learnt by the session."""
        self._guarding = guarding

    async def judged(self, event: dict[str, Any]) -> list[GuardRecord]:
        """What the guards say of it; `event` is rewritten, and not to be shown."""
        if not isinstance(event.get("transcript"), str):
            return []
        part = Part(event, "transcript", path="transcript", role="user")
        # What stops it is in the report; the guards after that have not looked, as in any call.
        with contextlib.suppress(ContentBlockedError, GuardFailedError):
            await self._guarding.piece([part], {})
        return [_noted(record) for record in self._guarding.report.taken()]


def _noted(record: GuardRecord) -> GuardRecord:
    if record.decision not in ("block", "change", "review"):
        return record
    return msgspec.structs.replace(record, decision="flag")
