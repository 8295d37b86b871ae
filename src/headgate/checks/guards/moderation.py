"""The guard that has a provider's moderation endpoint judge what is said.

Before the call, or beside it where the policy takes the risk: then nothing of the answer is shown
until the verdict on the request is in. Streamed answers are judged window by window, while they
flow; a stream in which one is judged harmful is cut, at the latest before its end is shown.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import msgspec

from headgate.checks.guards.guard import BlockedError, Guard, Guarded, OutputFilter
from headgate.checks.guards.verdict import PASS, Verdict
from headgate.checks.parts.adjacent import read_as_one
from headgate.checks.parts.part import Part
from headgate.config.guards import Direction, ModerationSettings


class Judgement(msgspec.Struct, frozen=True):
    """What a moderation endpoint said of one text."""

    flagged: bool
    scores: Mapping[str, float]
    """From 0 to 1, by category."""


class Moderator(Protocol):
    """Asks a moderation endpoint."""

    async def judge(self, texts: Sequence[str], model: str, call: Guarded) -> list[Judgement]:
        """One judgement for each of `texts`; raises where there is no answer to go by."""


class ModerationGuard(Guard):
    """Judges by category."""

    def __init__(
        self, name: str, moderator: Moderator, settings: ModerationSettings, **common: Any
    ) -> None:
        super().__init__(name, **common)
        self.beside = settings.when == "beside"
        self.window_characters = settings.window_characters
        self._moderator = moderator
        self._settings = settings

    def must_see(self, part: Part, direction: Direction, call: Guarded) -> bool:  # noqa: ARG002
        """See `Guard`."""
        return part.role in (_JUDGED if direction == "input" else ("model",))

    async def check_input(self, parts: Sequence[Part], call: Guarded) -> Verdict:
        """See `Guard`; instructions of the operator's own are not judged."""
        judged = [part for part in parts if part.kind == "text" and part.role in _JUDGED]
        return await self.judged(read_as_one(judged), call)

    async def check_output(self, parts: Sequence[Part], call: Guarded) -> Verdict:
        """See `Guard`."""
        judged = [part for part in parts if part.kind == "text" and part.role == "model"]
        return await self.judged(read_as_one(judged), call)

    def output_filter(self, part: Part, call: Guarded) -> OutputFilter:  # noqa: ARG002
        """See `Guard`."""
        return _Windows(self, call)

    async def judged(self, texts: Sequence[str], call: Guarded) -> Verdict:
        """What the endpoint makes of `texts`, by the operator's thresholds."""
        texts = [text for text in texts if text.strip()]
        if not texts:
            return PASS
        judgements = await self._moderator.judge(texts, self._settings.model, call)
        if len(judgements) != len(texts):
            raise ValueError("the endpoint did not judge each text")
        worst: tuple[float, str] | None = None
        for judgement in judgements:
            for category, score in judgement.scores.items():
                if self._is_hit(category, score, judgement) and (worst is None or score > worst[0]):
                    worst = score, category
        if worst is None:
            return PASS
        score, category = worst
        return Verdict(
            self._settings.on_hit,
            reason=category[:64],
            score=round(100 * score),
            message=self._settings.message,
        )

    def _is_hit(self, category: str, score: float, judgement: Judgement) -> bool:
        threshold = self._settings.thresholds.get(category)
        if threshold is not None:
            return score >= threshold
        # Without a threshold of the operator's, the provider's own judgement holds.
        return judgement.flagged and score == max(judgement.scores.values())


_JUDGED = frozenset({"user", "retrieved", "tool", "model"})


class _Windows(OutputFilter):
    """Has one text judged as it flows; what it says of a window may come after it was shown."""

    def __init__(self, guard: ModerationGuard, call: Guarded) -> None:
        self._guard = guard
        self._call = call
        self._window = ""
        self._tasks: list[asyncio.Task[Verdict]] = []
        self._verdict = PASS

    def feed(self, text: str) -> str:
        """See `TextFilter`."""
        self._window += text
        if len(self._window) >= self._guard.window_characters:
            self._judge()
        # What failed stays, for `settle` to tell.
        known = [task for task in self._tasks if task.done() and task.exception() is None]
        for task in known:
            self._tasks.remove(task)
            self._take(task.result())
        return text

    def close(self) -> str:
        """See `TextFilter`."""
        self._judge()
        return ""

    async def settle(self) -> None:
        """See `OutputFilter`."""
        tasks, self._tasks = self._tasks, []
        for verdict in await asyncio.gather(*tasks):
            self._take(verdict)

    def abandon(self) -> None:
        """See `OutputFilter`."""
        for task in self._tasks:
            if not task.cancel() and not task.cancelled():
                task.exception()

    def verdict(self) -> Verdict:
        """See `OutputFilter`."""
        return self._verdict

    def _judge(self) -> None:
        window, self._window = self._window, ""
        if window.strip() and window not in self._call.judged:
            # Responses tell a text whole up to four times more after its pieces.
            self._call.judged.add(window)
            self._tasks.append(
                asyncio.get_running_loop().create_task(self._guard.judged([window], self._call))
            )

    def _take(self, verdict: Verdict) -> None:
        self._verdict = self._verdict.joined(verdict)
        if verdict.decision in ("block", "review"):
            raise BlockedError(self._guard.name, verdict)
