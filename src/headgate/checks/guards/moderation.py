"""The guard that has a provider's moderation endpoint judge what is said.

Before the call, or beside it where the policy takes the risk: then nothing of the answer is shown
until the verdict on the request is in. Streamed answers are judged window by window, while they
flow; a stream in which one is judged harmful is cut, at the latest before its end is shown.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
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
    categories: frozenset[str] = frozenset()
    """Those that it counts as harmful; some endpoints name none."""


class UnscoredCategoryError(Exception):
    """A category with a threshold got no score."""


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
        hits = [hit for judgement in judgements for hit in self._hits(judgement)]
        if not hits:
            return PASS
        score, category = max(hits)
        return Verdict(
            self._settings.on_hit,
            reason=category[:64],
            score=round(100 * score),
            message=self._settings.message,
        )

    def _hits(self, judgement: Judgement) -> Iterator[tuple[float, str]]:
        """The categories that count, with their scores."""
        scores, thresholds = judgement.scores, self._settings.thresholds
        if not thresholds.keys() <= scores.keys():
            # What the operator wants to be judged was not: a slip of the pen, or another model.
            raise UnscoredCategoryError
        for category, threshold in thresholds.items():
            if scores[category] >= threshold:
                yield scores[category], category
        if not judgement.flagged:
            return
        # Without a threshold of the operator's, the provider's own judgement holds.
        for category in judgement.categories or {max(scores, key=scores.__getitem__, default="")}:
            if category not in thresholds:
                yield scores.get(category, 1.0), category or "flagged"


_OVERLAP_CHARACTERS = 100

_JUDGED = frozenset({"user", "retrieved", "tool", "model"})


class _Windows(OutputFilter):
    """Has one text judged as it flows; what it says of a window may come after it was shown."""

    def __init__(self, guard: ModerationGuard, call: Guarded) -> None:
        self._guard = guard
        self._call = call
        self._window = ""
        self._before = ""
        """The end of the window before: what is said over the seam is judged with the next."""
        self._tasks: list[asyncio.Task[Verdict]] = []
        self._verdict = PASS

    def feed(self, text: str) -> str:
        """See `TextFilter`."""
        self._window += text
        if len(self._window) >= self._guard.window_characters:
            self._judge()
        for task in [task for task in self._tasks if task.done()]:
            self._tasks.remove(task)
            if (fault := task.exception()) is not None:
                # No more is to be shown of what nobody judges.
                self.abandon()
                raise fault
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
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            if not task.cancel() and not task.cancelled():
                task.exception()

    def verdict(self) -> Verdict:
        """See `OutputFilter`."""
        return self._verdict

    def _judge(self) -> None:
        window, before = self._window, self._before
        self._window, self._before = "", (before + window)[-_OVERLAP_CHARACTERS:]
        if not window.strip():
            return
        if (window := before + window) not in self._call.judged:
            # Responses tell a text whole up to four times more after its pieces.
            self._call.judged.add(window)
            self._tasks.append(asyncio.get_running_loop().create_task(self._judged(window)))

    async def _judged(self, window: str) -> Verdict:
        async with asyncio.timeout(self._guard.timeout_s):
            return await self._guard.judged([window], self._call)

    def _take(self, verdict: Verdict) -> None:
        self._verdict = self._verdict.joined(verdict)
        if verdict.decision in ("block", "review"):
            raise BlockedError(self._guard.name, verdict)
