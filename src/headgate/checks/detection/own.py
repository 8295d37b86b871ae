"""How does an operator's own pattern become a rule? As it is, but without disguises."""

from __future__ import annotations

from headgate.checks.detection.plain_text import undisguised
from headgate.checks.detection.rule import Rule
from headgate.checks.detection.scanner import Scanner
from headgate.checks.detection.word_list import WordList
from headgate.config.detection import OwnPatternSettings


def own_scanner(settings: OwnPatternSettings, least_score: int) -> Scanner | WordList:
    """What finds `settings`, which `check_detection` has found right."""
    if settings.pattern is None:
        return WordList(settings)
    pattern = undisguised(settings.pattern)
    rule = Rule(
        kind=settings.name,
        shape=f"(?i){pattern}" if settings.ignore_case else pattern,
        accept=len,
        score=settings.score,
        family="own",
        neighbours="letters" if settings.whole_words else "any",
    )
    return Scanner(rule, least_score)
