"""Whether an instruction is given, or only spoken about.

A training text that quotes an attack is not one. Whoever attacks can dress up as such a text, so
this makes a sign weaker and never removes it.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from typing import Final

from headgate.checks.injection.concepts import Concept
from headgate.checks.injection.cover import Cover
from headgate.checks.injection.families import Family
from headgate.checks.injection.sentences import Group
from headgate.checks.injection.spotting import Hit

_QUOTED = re.compile(
    r"\"[^\"\n]{3,400}\"|(?<!\w)'[^'\n]{6,400}'(?!\w)|`[^`\n]{3,400}`|```.{3,2000}?```", re.DOTALL
)
_SPOKEN_ABOUT: Final = 0.35
_SAME_SENTENCE: Final = 0.5
_EVERYDAY: Final = 0.35
_NEAR_CHARS: Final = 240
_OWNED_CHARS: Final = 32
_STRONG: Final[frozenset[Concept]] = frozenset(("unbound", "reader", "unrefusing"))


def _owned(group: Group) -> bool:
    """Whether "my" or "that I gave" stands by the instructions: they are the writer's own."""
    owners = [hit for hit in group.hits if hit.concept == "mine"]
    return any(
        0 <= hit.start - owner.end <= _OWNED_CHARS or 0 <= owner.start - hit.end <= _OWNED_CHARS
        for hit in group.hits
        if hit.concept in ("orders", "prompt")
        for owner in owners
    )


class Mentions:
    """What in a text stands in quotation marks, and where it speaks about attacks."""

    def __init__(self, text: str, hits: list[Hit]) -> None:
        self._about = [hit.start for hit in hits if hit.concept == "about_attacks"]
        # One letter less at the end: quotations that touch are two.
        self._quoted = Cover(
            (match.start(), match.end() - 1)
            for match in (_QUOTED.finditer(text) if self._about else ())
        )

    def of(self, start: int, end: int) -> float:
        """By how much the weight of what stands at `start` to `end` is to be lowered."""
        quotation = self._quoted.around(start + 1, end - 1)
        if quotation is not None and self._spoken_about(*quotation):
            return _SPOKEN_ABOUT
        return 1.0

    def factor(self, group: Group, family: Family) -> float:
        """By how much the weight of a rule of `family` that `group` meets is to be lowered."""
        factor = 1.0
        concepts = group.concepts
        if family in ("override", "extraction") and not concepts & _STRONG:
            if "mine" in concepts and _owned(group):
                factor *= _EVERYDAY
            if "thing" in concepts and "model" not in concepts:
                factor *= _EVERYDAY
        if not self._about:
            return factor
        spoken = self.of(group.hits[0].start, group.hits[-1].end)
        if spoken < 1:
            return factor * spoken
        if "about_attacks" in concepts and not group.across:
            factor *= _SAME_SENTENCE
        return factor

    def _spoken_about(self, start: int, end: int) -> bool:
        """Whether the talk of attacks stands outside the quotation, and near it."""
        at = bisect_left(self._about, start)
        if at and start - self._about[at - 1] < _NEAR_CHARS:
            return True
        after = bisect_left(self._about, end)
        return after < len(self._about) and self._about[after] - end < _NEAR_CHARS / 2
