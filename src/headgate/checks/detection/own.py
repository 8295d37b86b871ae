"""How does an operator's own pattern or list of words become a rule? As it is, undisguised."""

from __future__ import annotations

import re2

from headgate.checks.detection.plain_text import undisguised
from headgate.checks.detection.rule import Rule
from headgate.config.detection import OwnPatternSettings


def own_rule(settings: OwnPatternSettings) -> Rule:
    """The rule for `settings`, which `check_detection` has found right."""
    if settings.pattern is not None:
        shape = undisguised(settings.pattern)
    else:
        # Of two words that begin alike the longer must be tried first.
        words = sorted({undisguised(word) for word in settings.words}, key=lambda one: -len(one))
        shape = f"(?:{'|'.join(re2.escape(word) for word in words)})"
    return Rule(
        kind=settings.name,
        shape=f"(?i){shape}" if settings.ignore_case else shape,
        accept=len,
        score=settings.score,
        neighbours="letters" if settings.whole_words else "any",
    )
