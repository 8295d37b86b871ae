"""One call's question to the earlier ones, and what came of it so far."""

from __future__ import annotations

from headgate.gateway.cache.semantic.index import Alike, Vector
from headgate.gateway.cache.semantic.question import Question


class Inquiry:
    """Lives as long as the call."""

    __slots__ = ("alike", "question", "threshold", "vector")

    def __init__(self, question: Question, threshold: float) -> None:
        self.question = question
        self.threshold = threshold
        self.vector: Vector | None = None
        self.alike: Alike | None = None
