"""The guard that plants a token into the instructions, and stops an answer that shows it.

Whoever makes a model recite its instructions makes it recite the token, also in other guises.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

from headgate.checks.guards.guard import BlockedError, Guard, Guarded, OutputFilter
from headgate.checks.guards.verdict import PASS, Verdict
from headgate.checks.injection.canary import CanaryWatch, leaked, new_canary, planted
from headgate.checks.parts.json_strings import Unescaping, unescaped
from headgate.checks.parts.part import Part
from headgate.config.guards import Direction

_MOST_TOKENS = 8
"""Of one call or session; further instructions get the last one again."""

_LEAKED = Verdict("block", reason="the instructions were recited", counts={"canary": 1})


class CanaryGuard(Guard):
    """Watches for its token; without instructions there is nothing to recite."""

    def __init__(self, name: str, **common: Any) -> None:
        super().__init__(name, **common)

    def must_see(self, part: Part, direction: Direction, call: Guarded) -> bool:  # noqa: ARG002
        """See `Guard`."""
        return direction == "output" and bool(call.canaries)

    async def check_input(self, parts: Sequence[Part], call: Guarded) -> Verdict:
        """See `Guard`."""
        if call.kept_as_data:
            return PASS
        for part in parts:
            if part.kind == "text" and part.role == "operator" and _are_instructions(part):
                if len(call.canaries) < _MOST_TOKENS:
                    call.canaries.append(new_canary())
                part.text = planted(part.text, call.canaries[-1])
        return PASS

    async def check_output(self, parts: Sequence[Part], call: Guarded) -> Verdict:
        """See `Guard`."""
        texts = (part for part in parts if part.kind == "text" and part.role != "operator")
        if call.canaries and any(leaked(_read(part), call.canaries) for part in texts):
            return _LEAKED
        return PASS

    def reads_streams(self, call: Guarded) -> bool:
        """See `Guard`."""
        return bool(call.canaries)

    def output_filter(self, part: Part, call: Guarded) -> OutputFilter | None:
        """See `Guard`."""
        return _Watch(self.name, call.canaries, part) if call.canaries else None


def _are_instructions(part: Part) -> bool:
    """Whether it is a message or field of instructions, not a tool's description or a schema."""
    return part.field in ("messages", "instructions", "input") and part.path.endswith(
        ("content", "text", "instructions")
    )


def _read(part: Part) -> str:
    return unescaped(part.text) if part.in_json else part.text


class _Watch(OutputFilter):
    """Watches one text that flows; what was shown of a token before it was whole tells nothing."""

    def __init__(self, guard: str, tokens: Sequence[str], part: Part) -> None:
        self._guard = guard
        self._watch = CanaryWatch(tokens)
        self._escapes = Unescaping() if part.in_json else None

    def feed(self, text: str) -> str:
        """See `TextFilter`."""
        read = text if self._escapes is None else self._escapes.feed(text)
        if self._watch.feed(read) is not None:
            raise BlockedError(self._guard, _LEAKED)
        return text

    def look(self, text: str) -> None:
        """See `OutputFilter`."""
        if copy.copy(self._watch).feed(text) is not None:
            raise BlockedError(self._guard, _LEAKED)

    def close(self) -> str:
        """See `TextFilter`."""
        return ""
