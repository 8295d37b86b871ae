"""When a model is asked whether a text is an attack, and about what: the detector's doubtful band.

A model costs money and time and can be talked to by what it judges, so it is asked only where the
detector can't tell, and gets each text in pieces small enough to be read whole.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from typing import Final, Protocol

from headgate.checks.guards.guard import Guarded
from headgate.config.guards import JudgeSettings

MAX_PIECES: Final = 16
"""How much of one call's texts is judged, each by itself and again those that are read as one;
where it is more, the guard can't tell and has failed."""

OVERLAP_CHARACTERS: Final = 200
"""By how much the pieces of a text overlap."""


class InjectionJudge(Protocol):
    """Asks a model."""

    async def score(self, piece: str, settings: JudgeSettings, call: Guarded) -> int:
        """How likely `piece` is an attack, 0 to 100; raises where there is no answer to go by."""


class TooMuchInDoubtError(Exception):
    """More text is in doubt than is judged for one call."""


class Panel:
    """One guard's judge, and when it is asked."""

    def __init__(self, settings: JudgeSettings, threshold: int, judge: InjectionJudge) -> None:
        """`threshold` is the guard's own."""
        self._settings = settings
        self._below = threshold if settings.below_score is None else settings.below_score
        self._judge = judge

    def is_unsure(self, score: int) -> bool:
        """Whether the detector's `score` leaves it open."""
        return self._settings.from_score <= score < self._below

    def convicts(self, score: int) -> bool:
        """Whether a judge's `score` makes a text an attack."""
        return score >= self._settings.threshold

    async def scores(self, texts: Sequence[str], call: Guarded) -> list[int]:
        """For each text the highest score of its pieces.

        Raises `TooMuchInDoubtError`, and what the judge raises.
        """
        pieces = [list(_pieces(text, self._settings.piece_characters)) for text in texts]
        if sum(map(len, pieces)) > MAX_PIECES:
            raise TooMuchInDoubtError
        try:
            async with asyncio.TaskGroup() as group:
                asked = [
                    [
                        group.create_task(self._judge.score(piece, self._settings, call))
                        for piece in of_text
                    ]
                    for of_text in pieces
                ]
        except ExceptionGroup as failed:
            # Whoever reads the log wants to know what failed, not that several could have.
            raise failed.exceptions[0] from None
        return [max(task.result() for task in of_text) for of_text in asked]


def _pieces(text: str, size: int) -> Iterator[str]:
    for start in range(0, max(len(text), 1), size - OVERLAP_CHARACTERS):
        yield text[start : start + size]
        if start + size >= len(text):
            return
