"""Where in a reading does which idea stand?"""

from __future__ import annotations

from typing import Final

import msgspec
import re2

from headgate.checks.injection.concepts import (
    CONCEPTS,
    Concept,
    pattern,
    phrases_of,
    squeezed,
)
from headgate.checks.injection.reading import Reading
from headgate.checks.injection.vocabularies import VOCABULARIES

MAX_HITS: Final = 2_000
"""How many hits of one idea in one reading are looked at; a text with more is one of lists."""

_SHAPES: Final[dict[Concept, str]] = {
    "address": r"https?:|www\.|\bftp:|hxxps?:|[\w.+\-]{1,64}@[\w\-]{1,63}\.\w{2,}",
    "function_name": r"\b[a-z]{2,}(?:_[a-z]{2,}){1,5}\b|\b[a-z]{2,}[A-Z][a-z]+\(",
}
_MEMORY_BYTES: Final = 64 << 20


class Hit(msgspec.Struct, frozen=True, order=True):
    """An idea's place in a reading's text."""

    start: int
    end: int
    concept: Concept


def _options(*, case_sensitive: bool) -> re2.Options:
    options = re2.Options()
    options.log_errors = False
    options.max_mem = _MEMORY_BYTES
    options.case_sensitive = case_sensitive
    return options


class _Spotter:
    """The patterns of all ideas: one set that tells which occur, then each one's places."""

    def __init__(self, patterns: dict[Concept, str]) -> None:
        prefilter = re2.Set.SearchSet(_options(case_sensitive=True))
        self._singles: list[tuple[Concept, re2._Regexp]] = []
        for concept, written in patterns.items():
            prefilter.Add(written)
            self._singles.append((concept, re2.compile(written, _options(case_sensitive=True))))
        prefilter.Compile()
        self._prefilter = prefilter

    def present(self, text: str) -> frozenset[Concept]:
        """Which ideas occur at all."""
        return frozenset(self._singles[at][0] for at in self._prefilter.Match(text) or ())

    def hits(self, text: str, wanted: frozenset[Concept]) -> list[Hit]:
        """Where those of `wanted` occur, in order."""
        found: list[Hit] = []
        for concept, single in self._singles:
            if concept not in wanted:
                continue
            for count, match in enumerate(single.finditer(text)):
                if count >= MAX_HITS:
                    break
                found.append(Hit(match.start(), match.end(), concept))
        return sorted(found)


def _in_words() -> dict[Concept, str]:
    patterns: dict[Concept, str] = {}
    for concept in CONCEPTS:
        if concept in _SHAPES:
            patterns[concept] = _SHAPES[concept]
            continue
        written = [
            pattern(phrase, spaced=vocabulary.spaced)
            for vocabulary in VOCABULARIES
            for phrase in phrases_of(vocabulary, concept)
        ]
        patterns[concept] = f"(?i:{'|'.join(dict.fromkeys(written))})"
    return patterns


def _without_spaces() -> dict[Concept, str]:
    patterns: dict[Concept, str] = {}
    for concept in CONCEPTS:
        written = [
            found
            for vocabulary in VOCABULARIES
            for phrase in phrases_of(vocabulary, concept)
            if (found := squeezed(phrase)) is not None
        ]
        if written:
            patterns[concept] = f"(?i:{'|'.join(dict.fromkeys(written))})"
    return patterns


_WORDS: Final = _Spotter(_in_words())
_SQUEEZED: Final = _Spotter(_without_spaces())


def present(reading: Reading) -> frozenset[Concept]:
    """Which ideas occur in `reading`; cheap."""
    return (_SQUEEZED if reading.disguise == "spaced" else _WORDS).present(reading.text)


def hits(reading: Reading, wanted: frozenset[Concept]) -> list[Hit]:
    """Where the ideas of `wanted` stand in `reading`, in order."""
    return (_SQUEEZED if reading.disguise == "spaced" else _WORDS).hits(reading.text, wanted)
