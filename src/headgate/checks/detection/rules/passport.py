"""How is a passport's number told? By the word beside it, or by the lines that machines read."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from headgate.checks.detection.rule import Rule, Words, cue
from headgate.config.detection import Language

_CUES: Final[Words] = {
    "en": r"passport|travel document|ppt (?:no|num)",
    "de": r"(?:reise)?pass(?:nummer|nr|-nr|\b)",
    "fr": r"passeport",
    "es": r"pasaporte",
    "it": r"passaporto",
    "nl": r"paspoort",
    "pt": r"passaporte",
    "zh": r"护照",
}


def rules(languages: Collection[Language]) -> list[Rule]:
    """Numbers beside the word, and both lines of the machine-readable zone (ICAO 9303)."""
    return [
        Rule(
            kind="passport",
            shape=r"\b(?:(?:[A-Z]{1,3} ?)?\d{6,9}[A-Z]?|[A-Z0-9]{8,9}|\d{2}[A-Z]{2}\d{5})\b",
            accept=_number,
            cue=cue(_CUES, languages),
            cued_score=85,
        ),
        Rule(
            kind="passport",
            shape=r"\bP[A-Z<][A-Z]{3}[A-Z<]{39}\s{1,2}[A-Z0-9<]{9}\d[A-Z]{3}\d{7}[MFX<]"
            r"\d{7}[A-Z0-9<]{16}",
            gate=r"\bP[A-Z<][A-Z]{3}[A-Z<]{20}",
            score=97,
            neighbours="word",
        ),
    ]


def _number(value: str) -> int:
    digits = sum(character.isdigit() for character in value)
    return len(value) if digits >= 5 or (digits >= 2 and len(value) == 9) else 0
