"""The guard that looks for an operator's own words and patterns; it needs no provider."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from headgate.checks.detection import Engine, Finding
from headgate.checks.detection.across import with_across
from headgate.checks.guards.guard import BlockedError, Guard, Guarded, OutputFilter
from headgate.checks.guards.verdict import PASS, Verdict
from headgate.checks.guards.window import Window
from headgate.checks.parts.adjacent import pieces_of_texts
from headgate.checks.parts.part import Part
from headgate.config.guards import OnHit


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
        return _Watch(self, self._engine)

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
    """Watches one text that flows."""

    def __init__(self, guard: WordsGuard, engine: Engine) -> None:
        self._guard = guard
        self._window = Window(engine.find)
        self._count = 0

    def feed(self, text: str) -> str:
        """See `TextFilter`."""
        return self._shown(*self._window.feed(text))

    def close(self) -> str:
        """See `TextFilter`."""
        return self._shown(*self._window.close())

    def look(self, text: str) -> None:
        """See `OutputFilter`."""
        verdict = self._guard.verdict(len(self._window.found_in(text)))
        if verdict.decision in ("block", "review"):
            self._count += 1
            raise BlockedError(self._guard.name, verdict)

    def verdict(self) -> Verdict:
        """See `OutputFilter`."""
        return self._guard.verdict(self._count)

    def _shown(self, text: str, findings: list[Finding]) -> str:
        self._count += len(findings)
        verdict = self.verdict()
        if verdict.decision in ("block", "review"):
            raise BlockedError(self._guard.name, verdict)
        return text
