"""The guard that looks for an operator's own words and patterns; it needs no provider."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from headgate.checks.detection import Engine
from headgate.checks.detection.across import with_across
from headgate.checks.guards.guard import BlockedError, Guard, Guarded, OutputFilter
from headgate.checks.guards.verdict import PASS, Verdict
from headgate.checks.parts.adjacent import pieces_of_texts
from headgate.checks.parts.part import Part
from headgate.config.guards import OnHit

_WINDOW_CHARACTERS = 256


class WordsGuard(Guard):
    """Looks for words."""

    def __init__(
        self, name: str, engine: Engine, *, on_hit: OnHit, message: str | None, **common: Any
    ) -> None:
        super().__init__(name, **common)
        self._engine = engine
        self._on_hit: OnHit = on_hit
        self._message = message

    async def check_input(self, parts: Sequence[Part], call: Guarded) -> Verdict:  # noqa: ARG002
        """See `Guard`."""
        return self._judged([part for part in parts if part.kind in ("text", "name")])

    async def check_output(self, parts: Sequence[Part], call: Guarded) -> Verdict:  # noqa: ARG002
        """See `Guard`."""
        return self._judged(
            [part for part in parts if part.kind == "text" and part.role != "operator"]
        )

    def output_filter(self, part: Part, call: Guarded) -> OutputFilter:  # noqa: ARG002
        """See `Guard`."""
        return _Watch(self)

    def found_in(self, text: str) -> int:
        """How many of the words stand in `text`."""
        return len(self._engine.find(text))

    def verdict(self, count: int) -> Verdict:
        """What `count` words found mean."""
        if not count:
            return PASS
        counts = {"words": count}
        return Verdict(self._on_hit, reason="words", counts=counts, message=self._message)

    def _judged(self, parts: Sequence[Part]) -> Verdict:
        count = 0
        for pieces in pieces_of_texts(parts):
            count += len(with_across([piece.text for piece in pieces], self._engine.find))
        return self.verdict(count)


class _Watch(OutputFilter):
    """Watches one text that flows, a window behind so that no word is shown in part."""

    def __init__(self, guard: WordsGuard) -> None:
        self._guard = guard
        self._held = ""
        self._count = 0

    def feed(self, text: str) -> str:
        """See `TextFilter`."""
        self._held += text
        if len(self._held) < 2 * _WINDOW_CHARACTERS:
            return ""
        self._look()
        told, self._held = self._held[:-_WINDOW_CHARACTERS], self._held[-_WINDOW_CHARACTERS:]
        return told

    def close(self) -> str:
        """See `TextFilter`."""
        self._look()
        told, self._held = self._held, ""
        return told

    def look(self, text: str) -> None:
        """See `OutputFilter`."""
        verdict = self._guard.verdict(self._guard.found_in(text))
        if verdict.decision in ("block", "review"):
            self._count += 1
            raise BlockedError(self._guard.name, verdict)

    def verdict(self) -> Verdict:
        """See `OutputFilter`."""
        return self._guard.verdict(self._count)

    def _look(self) -> None:
        # What stands in two windows is counted twice; what matters is whether there is any.
        self._count += self._guard.found_in(self._held)
        verdict = self.verdict()
        if verdict.decision in ("block", "review"):
            raise BlockedError(self._guard.name, verdict)
