"""What the detector says about a text."""

from __future__ import annotations

import msgspec

from headgate.checks.injection.families import Family
from headgate.checks.injection.normalise import Hiding
from headgate.checks.injection.reading import Disguise, Span

DEFAULT_THRESHOLD = 50
"""The score from which a text counts as an attack where nothing else is configured."""


class Sign(msgspec.Struct, frozen=True):
    """One thing found."""

    family: Family
    weight: int
    """How strong a sign it is, 0 to 100."""
    span: Span
    """Where in the original text, in characters."""
    disguise: Disguise = "none"


class Verdict(msgspec.Struct, frozen=True):
    """How likely a text is an attack, of what kind, and what to take out of it."""

    score: int
    """0 to 100."""
    families: tuple[Family, ...] = ()
    """The families found, the strongest first."""
    spans: tuple[Span, ...] = ()
    """What to take out: sentences and hidden characters, in order, without overlaps."""
    signs: tuple[Sign, ...] = ()
    """The strongest sign of each family."""
    hiding: tuple[Hiding, ...] = ()
    """How text was hidden, if it was."""


def stripped(text: str, verdict: Verdict, replacement: str = "[removed]") -> str:
    """`text` without what `verdict` found, `replacement` in its place."""
    parts: list[str] = []
    after = 0
    for start, end in verdict.spans:
        parts.append(text[after:start])
        # Hidden characters leave no gap that a reader would see.
        if text[start:end].strip() and any(letter.isprintable() for letter in text[start:end]):
            parts.append(replacement)
        after = end
    return "".join((*parts, text[after:]))
